/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * gv-bench: every figure is measured next to its raw limit: in the same run, on the same cores,
 * round by round in turns, so that what else the machine does hits both. Of a latency a round
 * gives the p50, of a throughput the best call, and the best round counts. docs/bench.md says what
 * each figure means.
 */
#ifndef GV_BENCH_H
#define GV_BENCH_H

#include <signal.h>
#include <sys/types.h>

#include <gv/base.h>

#define BENCH_ROUNDS   5
#define BENCH_MAX_ROWS 64

struct bench_row {
	const char *figure; /* "F1" .. "F10", as in docs/bench.md */
	const char *what;   /* one line */
	const char *unit;   /* "ns", "PTE/s", "GB/s", "1/s" */
	double ours;
	double limit; /* 0: there is none for this row */
	double peer;  /* 0: none ran */
	char conditions[240];
};

struct bench_stack;

struct bench {
	struct bench_row row[BENCH_MAX_ROWS];
	size_t count;
	const char *bin_dir;       /* where gpuvisor-gpu and gpuvisord are */
	const char *peer_socket;   /* another vfio-user server, or NULL */
	bool pocl;                 /* measure PoCL as well */
	struct bench_stack *stack; /* rig.c: started when first needed */
};

/* ---- harness.c ------------------------------------------------------------ */

/** Add a figure. Not more than BENCH_MAX_ROWS. */
void bench_add(struct bench *b, const struct bench_row *row);

/* Something to time. A negative errno from a call ends the measurement. */
struct bench_probe {
	int (*run)(void *arg);
	int (*before)(void *arg); /* not timed, may be NULL */
	void *arg;
	unsigned samples; /* calls timed in each round */
	bool rate;        /* a throughput: the best call counts, not the median */
	double ns;        /* out: of the best round */
};

/** Measure @count probes in turns, BENCH_ROUNDS rounds. The first error, or -EINTR when a signal
 *  asked us to stop. */
int bench_measure(struct bench_probe *probe, size_t count);
/** The same with another number of rounds, for what takes long. */
int bench_measure_rounds(struct bench_probe *probe, size_t count, unsigned rounds);

/** Set by SIGINT, SIGTERM, SIGHUP. */
extern volatile sig_atomic_t bench_stop;

/** Number of CPUs that we may use. */
unsigned bench_cpus(void);
/** Run this thread, and threads and children made later, on the @nth CPU that we may use; -1
 *  allows all again. */
void bench_pin(int nth);
/** The same for every thread that process @pid has now. */
void bench_pin_process(pid_t pid, int nth);

/* ---- raw.c: limits, nothing of ours in the way ------------------------------ */

struct bench_raw_sock;
/** A child that answers frames over a unix stream socket, on CPU @nth (-1: any). @spin: neither
 *  end ever sleeps in the kernel. */
int bench_raw_sock_new(size_t req_bytes, size_t reply_bytes, int nth, bool spin,
                       struct bench_raw_sock **s);
int bench_raw_sock_call(void *s);
/** BENCH_BURST requests in one send, then all the answers. */
int bench_raw_sock_burst(void *s);
/** BENCH_POSTS frames without an answer, one send each, then one call. */
int bench_raw_sock_posts(void *s);
struct bench_raw_sock *bench_raw_sock_free(struct bench_raw_sock *s);

#define BENCH_BURST 32u
#define BENCH_POSTS 256u

/* Two threads, each answering the other. @shm: by spinning on shared memory, else by eventfd. */
struct bench_raw_pair;
int bench_raw_pair_new(bool shm, int other_cpu, struct bench_raw_pair **p);
int bench_raw_pair_call(void *p);
struct bench_raw_pair *bench_raw_pair_free(struct bench_raw_pair *p);

/* ---- wire.c: the protocol and nothing else ----------------------------------- */

/** Connect to a socket: *@fd. Who is silent for 5 s on it is an error. */
int bench_dial(const char *path, int *fd);

struct bench_wire;
/** Connect to a vfio-user server and agree on a version. Reads 4 bytes at @off of @region. */
int bench_wire_open(const char *path, unsigned region, uint64_t off, struct bench_wire **w,
                    struct gv_err *err);
int bench_wire_read(void *w);
/** BENCH_BURST reads in one send, then all the answers. */
int bench_wire_burst(void *w);
/** Is every thread of the server bound to the CPU that this thread is bound to? */
bool bench_wire_same_cpu(const struct bench_wire *w);
struct bench_wire *bench_wire_close(struct bench_wire *w);

/* ---- shader_cpu.c, pocl.c: what F5 is held against ----------------------------- */

/** c = a * b, square matrices of @n rows, a multiple of 64, one thread: rows [0, @rows). */
void bench_cpu_matmul(const float *a, const float *b, float *c, unsigned n, unsigned rows);
/** c = a + b. */
void bench_cpu_vadd(const float *a, const float *b, float *c, size_t n);

/* The kernels of bench/kernels/speed.cl on PoCL's CPU device, one thread. */
struct bench_pocl;
/** Built where the caller is bound. -ENOSYS: gv-bench has no OpenCL; -ENODEV: PoCL is not
 *  installed; -EIO: it refused, the text says what. */
int bench_pocl_new(size_t max_floats, struct bench_pocl **pocl, struct gv_err *err);
/** Run @kernel ("matmul", "vadd") with @n over @items in groups of @group, to the end. */
int bench_pocl_run(struct bench_pocl *pocl, const char *kernel, unsigned n, const size_t items[2],
                   size_t group);
/** Takes NULL, returns NULL. */
struct bench_pocl *bench_pocl_free(struct bench_pocl *pocl);

/* ---- the figures ---------------------------------------------------------------- */

int bench_mmio(struct bench *b, struct gv_err *err);       /* F1 */
int bench_doorbell(struct bench *b, struct gv_err *err);   /* F2 */
int bench_interrupt(struct bench *b, struct gv_err *err);  /* F3 */
int bench_page_table(struct bench *b, struct gv_err *err); /* F4 */
int bench_shader(struct bench *b, struct gv_err *err);     /* F5 */
int bench_launch(struct bench *b, struct gv_err *err);     /* F6 */
int bench_lifecycle(struct bench *b, struct gv_err *err);  /* F7 */
int bench_sdma(struct bench *b, struct gv_err *err);       /* F8 */
int bench_world(struct bench *b, struct gv_err *err);      /* F9 */
int bench_fairness(struct bench *b, struct gv_err *err);   /* F10 */

#endif
