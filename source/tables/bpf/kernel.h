// The kernel's structures, with only the members that are read: where they lie
// is taken from the running kernel's BTF. A name after ___ is a flavour: the
// same structure in other versions.
#pragma once
#define KERNEL __attribute__((preserve_access_index))

struct list_head { struct list_head *next, *prev; } KERNEL;
struct hlist_node { struct hlist_node *next; void *pprev; } KERNEL;
struct hlist_head { struct hlist_node *first; } KERNEL;
struct hlist_nulls_node { struct hlist_nulls_node *next; } KERNEL;
struct hlist_nulls_head { struct hlist_nulls_node *first; } KERNEL;
typedef struct { __s64 counter; } KERNEL atomic64_t;
typedef struct { int counter; } KERNEL atomic_t;
typedef struct refcount_struct { atomic_t refs; } KERNEL refcount_t;
typedef struct { __u32 val; } KERNEL kuid_t;
struct in6_addr { __u8 in6_u[16]; } KERNEL;
struct timespec64 { __s64 tv_sec; long tv_nsec; } KERNEL; // stands for any two words

// Namespaces.
struct inet_hashinfo;
struct udp_table;
struct ns_common { unsigned int inum; const void *ops; } KERNEL;
struct inet_timewait_death_row { refcount_t tw_refcount; struct inet_hashinfo *hashinfo; int sysctl_max_tw_buckets; } KERNEL;
struct local_ports { __u32 range; } KERNEL;        // from 6.8: high << 16 | low
struct local_ports___67 { int range[2]; } KERNEL; // to 6.7
struct netns_ipv4 {
	struct inet_timewait_death_row tcp_death_row;
	struct udp_table *udp_table; // from 6.2
	struct local_ports ip_local_ports;
	__u8 sysctl_tcp_tw_reuse, sysctl_tcp_timestamps;
	unsigned int sysctl_tcp_tw_reuse_delay; // from 6.14
	unsigned long *sysctl_local_reserved_ports;
} KERNEL;
struct netns_ipv4___67 { struct local_ports___67 ip_local_ports; } KERNEL;
struct net { struct list_head list; struct ns_common ns; __u64 net_cookie; __u32 hash_mix; struct netns_ipv4 ipv4; } KERNEL;
struct net___67 { struct netns_ipv4___67 ipv4; } KERNEL;
struct nsproxy { struct net *net_ns; } KERNEL;
typedef struct { struct net *net; } KERNEL possible_net_t;

// Sockets.
struct proto { union { struct udp_table *udp_table; } h; } KERNEL;
struct sock_common {
	__be32 skc_daddr, skc_rcv_saddr;
	unsigned int skc_hash;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	int skc_bound_dev_if;
	struct hlist_node skc_bind_node;
	struct proto *skc_prot;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	struct hlist_node skc_node;
	struct hlist_nulls_node skc_nulls_node;
} KERNEL;
struct file;
struct sock;
struct socket { struct sock *sk; } KERNEL;
struct inode { __u16 i_mode; unsigned long i_ino; } KERNEL;
struct socket_alloc { struct inode vfs_inode; } KERNEL;
struct kernfs_node { __u64 id; } KERNEL;
struct cgroup { struct kernfs_node *kn; } KERNEL;
struct sock_cgroup_data { struct cgroup *cgroup; } KERNEL;
struct timer_list { struct hlist_node entry; unsigned long expires; } KERNEL;
struct sock {
	struct sock_common __sk_common;
	struct { atomic_t rmem_alloc; } KERNEL sk_backlog;
	refcount_t sk_wmem_alloc;
	__u32 sk_ack_backlog, sk_max_ack_backlog;
	__u8 sk_userlocks;
	__u16 sk_protocol;
	struct socket *sk_socket;
	kuid_t sk_uid;
	struct sock_cgroup_data sk_cgrp_data;
	struct timer_list sk_timer;
} KERNEL;
struct sock___619 { struct timer_list tcp_retransmit_timer; } KERNEL; // from 6.19
struct inet_sock { __be16 inet_sport; } KERNEL;
struct inet_connection_sock {
	__u8 icsk_retransmits, icsk_pending, icsk_probes_out;
	unsigned long icsk_timeout;              // to 6.17
	struct timer_list icsk_retransmit_timer; // 6.18
	struct timer_list icsk_keepalive_timer;  // from 6.19, and in late 6.12
} KERNEL;
struct tcp_sock { struct inet_connection_sock inet_conn; __u32 rcv_nxt, copied_seq, write_seq, snd_una; } KERNEL;
struct udp_sock { int forward_deficit; } KERNEL;
struct inet_timewait_sock { __u32 tw_mark; unsigned char tw_substate; struct timer_list tw_timer; unsigned int tw_connect_bind : 1; } KERNEL;
struct tcp_timewait_sock { int tw_ts_recent_stamp; } KERNEL;
struct request_sock { __u8 num_retrans; struct timer_list rsk_timer; } KERNEL;

// Tables.
struct inet_bind_bucket {
	possible_net_t ib_net;
	int l3mdev;
	unsigned short port;
	signed char fastreuse, fastreuseport;
	struct hlist_node node;
	struct hlist_head bhash2; // from 6.8
} KERNEL;
struct inet_bind_bucket___67 { struct hlist_head owners; } KERNEL; // to 6.7
struct inet_bind2_bucket { unsigned short port; struct hlist_node bhash_node; struct hlist_head owners; } KERNEL;
struct inet_ehash_bucket { struct hlist_nulls_head chain; } KERNEL;
struct inet_bind_hashbucket { struct hlist_head chain; } KERNEL;
struct inet_listen_hashbucket { struct hlist_nulls_head nulls_head; } KERNEL;
struct inet_hashinfo {
	struct inet_ehash_bucket *ehash;
	unsigned int ehash_mask;
	struct inet_bind_hashbucket *bhash;
	unsigned int bhash_size;
	unsigned int lhash2_mask;
	struct inet_listen_hashbucket *lhash2;
} KERNEL;
struct udp_hslot { struct hlist_head head; } KERNEL;
struct udp_table { struct udp_hslot *hash; unsigned int mask; } KERNEL;

// Processes.
struct pt_regs { unsigned long si, di; } KERNEL;                 // of amd64
struct pt_regs___arm64 { __u64 regs[31], orig_x0; } KERNEL;
struct fdtable { unsigned int max_fds; struct file **fd; unsigned long *open_fds; } KERNEL;
struct files_struct { struct fdtable *fdt; } KERNEL;
struct file { const void *f_op; struct inode *f_inode; void *private_data; } KERNEL;
struct pid_namespace { struct ns_common ns; } KERNEL;
struct upid { int nr; struct pid_namespace *ns; } KERNEL;
struct pid { unsigned int level; struct upid numbers[1]; } KERNEL; // level + 1 of them
struct task_struct {
	unsigned int flags;
	struct nsproxy *nsproxy;
	struct list_head tasks;
	int tgid;
	__u64 start_boottime;
	struct task_struct *real_parent, *group_leader;
	struct pid *thread_pid;
	struct files_struct *files;
} KERNEL;
