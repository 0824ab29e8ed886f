// Whose the sockets are: all descriptors of all processes.
#pragma once

// Where a walk over all processes is, and in one of them.
struct process {
	__u64 task, head, table, open, bits, operations, start, behind;
	__u32 pid, words, word, from;
} process;

static __always_inline __u32 lowest_bit(__u64 bits)
{
	__u32 n = 0;
	bits &= -bits;
	if (bits & 0xffffffff00000000ull) n += 32;
	if (bits & 0xffff0000ffff0000ull) n += 16;
	if (bits & 0xff00ff00ff00ff00ull) n += 8;
	if (bits & 0xf0f0f0f0f0f0f0f0ull) n += 4;
	if (bits & 0xccccccccccccccccull) n += 2;
	if (bits & 0xaaaaaaaaaaaaaaaaull) n += 1;
	return n;
}

// A descriptor is a socket's if its operations are those of one of ours.
static __always_inline long descriptor_step(struct process *p)
{
	__u64 bits = p->bits;
	__u32 fd = (p->word - 1) * 64 + lowest_bit(bits), i = result.count;
	if (i >= DESCRIPTORS)
		return 1;
	p->bits = bits & (bits - 1);
	__u64 at = WORD(p->table + 8ull * fd);
	if (!at)
		return 0;
	struct file *file = CAST(struct file, at);
	if (WORD(&file->f_op) != p->operations)
		return 0;
	__u32 inode = READ(CAST(struct inode, WORD(&file->f_inode))->i_ino);
	if (request.filter && !(shared.sought[inode >> 6 & (SOUGHT / 64 - 1)] >> (inode & 63) & 1))
		return 0;
	struct descriptor *d = &shared.descriptors[INDEX(i, DESCRIPTORS)];
	d->pid = p->pid;
	d->fd = fd;
	d->inode = inode;
	result.count = i + 1;
	return 0;
}

static __always_inline long process_step(struct process *p)
{
	p->task = CONTAINER(WORD(p->task + OFFSET(struct task_struct, tasks)), struct task_struct, tasks);
	if (p->task == p->head) {
		result.done = 1;
		return 1;
	}
	struct task_struct *t = CAST(struct task_struct, p->task);
	__u64 start = READ(t->start_boottime);
	__u32 pid = READ(t->tgid), word = 0;
	if (p->behind) { // processes are listed in the order of their birth
		if (start < p->behind || (start == p->behind && pid != p->pid))
			return 0;
		if (start == p->behind)
			word = p->from;
		p->behind = 0;
	}
	p->start = start;
	p->pid = pid;
	p->word = word;
	p->words = 0;
	__u64 files = WORD(&t->files);
	if (!files)
		return 0;
	struct fdtable *table = CAST(struct fdtable, WORD(&CAST(struct files_struct, files)->fdt));
	p->table = WORD(&table->fd);
	p->open = WORD(&table->open_fds);
	p->words = READ(table->max_fds) / 64;
	return 0;
}

static long file_step(__u32 i, void *context)
{
	struct process *p = &process;
	if (p->bits)
		return descriptor_step(p);
	if (result.count >= request.rows)
		return 1;
	if (p->word < p->words) {
		p->bits = WORD(p->open + 8ull * p->word);
		p->word++;
		return 0;
	}
	return process_step(p);
}

static long find_first_process(__u32 i, void *context)
{
	struct task_struct *t = CAST(struct task_struct, process.task);
	if (!READ(t->tgid))
		return 1;
	process.task = WORD(&t->real_parent);
	return 0;
}

// walk_files goes on at the word of open_fds of the process that start and pid
// name, and says where the next call is to go on.
SEC("raw_tp") int walk_files(void *context)
{
	struct process *p = &process;
	__builtin_memset(p, 0, sizeof(*p));
	result.took = bpf_ktime_get_ns();
	result.count = result.done = 0;
	p->operations = WORD(&own_file(request.descriptor)->f_op);
	p->task = bpf_get_current_task();
	bpf_loop(1 << 15, find_first_process, 0, 0); // pid 0 is an ancestor of all and heads the list
	p->head = p->task;
	p->behind = request.start;
	p->pid = request.pid;
	p->from = request.word;
	bpf_loop(request.steps, file_step, 0, 0);
	result.pid = p->pid;
	if (p->behind) { // not even there: the same again, with more steps
		result.start = p->behind;
		result.word = p->from;
	} else {
		result.start = p->start;
		result.word = p->bits ? p->word - 1 : p->word;
	}
	result.took = bpf_ktime_get_ns() - result.took;
	return 0;
}
