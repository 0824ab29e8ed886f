// What is used of linux/types.h, linux/bpf.h and libbpf, so that the objects
// depend on nothing but the compiler.
#pragma once

typedef unsigned char __u8;
typedef signed char __s8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef int __s32;
typedef unsigned long long __u64;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef _Bool bool;
#define true 1
#define false 0

#define SEC(name) __attribute__((section(name), used))
#define __always_inline inline __attribute__((always_inline))
#define __noinline __attribute__((noinline))
#define __ksym __attribute__((section(".ksyms")))
#define __uint(name, value) int(*name)[value]

#define BPF_MAP_TYPE_RINGBUF 27
#define BPF_RB_NO_WAKEUP 1

static __u64 (*bpf_ktime_get_ns)(void) = (void *)5;
static __u64 (*bpf_get_current_pid_tgid)(void) = (void *)14;
static long (*bpf_get_current_comm)(void *to, __u32 size) = (void *)16;
static __u64 (*bpf_get_current_task)(void) = (void *)35;
static __u64 (*bpf_get_current_cgroup_id)(void) = (void *)80;
static long (*bpf_probe_read_user)(void *to, __u32 size, const void *from) = (void *)112;
static long (*bpf_probe_read_kernel)(void *to, __u32 size, const void *from) = (void *)113;
static __u64 (*bpf_jiffies64)(void) = (void *)118;
static __u64 (*bpf_ktime_get_boot_ns)(void) = (void *)125;
static void *(*bpf_get_current_task_btf)(void) = (void *)158;
static void *(*bpf_task_pt_regs)(void *task) = (void *)175;
static void *(*bpf_ringbuf_reserve)(void *ring, __u64 size, __u64 flags) = (void *)131;
static void (*bpf_ringbuf_submit)(void *record, __u64 flags) = (void *)132;
static long (*bpf_loop)(__u32 times, void *step, void *context, __u64 flags) = (void *)181;

// CO-RE by clang's builtins and the numbers of enum bpf_core_relo_kind: the
// loader puts in what the running kernel's BTF says.
#define HAS(type, member) __builtin_preserve_field_info(((type *)0)->member, 2)
#define OFFSET(type, member) __builtin_preserve_field_info(((type *)0)->member, 0)
#define SIZE(type) __builtin_preserve_type_info(*(typeof(type) *)0, 1)
#define KERNEL_TYPE(type) __builtin_btf_type_id(*(typeof(type) *)0, 1)
#define KERNEL_ADDRESS(lvalue) ((const void *)__builtin_preserve_access_index(&(lvalue)))
// A bit field: where the word that holds it lies, and what it is in that word.
#define BITS_OFFSET(type, member) __builtin_preserve_field_info(((type *)0)->member, 0)
#define BITS(type, member, word) \
	(((word) << __builtin_preserve_field_info(((type *)0)->member, 4)) >> __builtin_preserve_field_info(((type *)0)->member, 5))
