// How the kernel's memory is read.
#pragma once

#ifdef PROBE
#define CAST(type, address) ((type *)(address))
#define READ(lvalue) ({ typeof(lvalue) _v = 0; bpf_probe_read_kernel(&_v, sizeof(_v), KERNEL_ADDRESS(lvalue)); _v; })
#define WORD(address) ({ __u64 _v = 0; bpf_probe_read_kernel(&_v, 8, (const void *)(address)); _v; })
#define TWO_WORDS(to, address) bpf_probe_read_kernel(to, 16, address)
#else
extern void *bpf_rdonly_cast(const void *object, __u32 type) __ksym;
#define CAST(type, address) ((type *)bpf_rdonly_cast((const void *)(address), KERNEL_TYPE(type)))
#define READ(lvalue) (lvalue)
#define WORD(address) ((__u64)CAST(struct timespec64, address)->tv_sec)
#define TWO_WORDS(to, address) ({ struct timespec64 *_w = CAST(struct timespec64, address); (to)[0] = _w->tv_sec; (to)[1] = _w->tv_nsec; })
#endif

// COMMON reads a member of struct sock_common: of its copy, or in place.
#define COMMON_SIZE 112
#ifdef PROBE
#define COPY_COMMON(copy, sc) __u64 copy[COMMON_SIZE / 8]; bpf_probe_read_kernel(copy, COMMON_SIZE, sc)
#define COMMON(member) (*(typeof(((struct sock_common *)0)->member) *)((void *)copy + OFFSET(struct sock_common, member)))
#define COMMON_ADDRESS(to, member) ({ __u64 *_w = (void *)copy + OFFSET(struct sock_common, member); (to)[0] = _w[0]; (to)[1] = _w[1]; })
#else
#define COPY_COMMON(copy, sc) __u64 *copy = 0; (void)copy
#define COMMON(member) (sc->member)
#define COMMON_ADDRESS(to, member) TWO_WORDS(to, &sc->member)
#endif

// INDEX is an index that the verifier believes in: without the barrier clang
// drops the mask where it knows better, and 6.1 forgets the bounds of a
// spilled register.
#define INDEX(i, n) ({ __u32 _i = (i); asm volatile("" : "+r"(_i)); _i & ((n) - 1); })
// FORGET ends the body of a for loop: what is carried is read back from memory.
#define FORGET() asm volatile("" ::: "memory")

#define CONTAINER(address, type, member) ((address) - OFFSET(type, member))
