/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Threads that run shaders: slices of grids, functions in turn, so that what one function runs
 * costs another at most its share.
 *
 * Locks: the pool's own comes after mem_lock and dev->lock, and nothing but a worker's kick is
 * taken under it. A thread enters the memory of a function before it counts as a user of a grid:
 * who waits for users under mem_lock (read) never waits for a thread that waits for mem_lock.
 */
#include <sched.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cp.h"

#define BUSY_NS     (200 * GV_US)
#define SHADER_NICE 5
#define PATIENCE_NS (1 * GV_US)
#define SPIN_NS     (100 * GV_US) /* a switch of worlds is over by then */

struct fn_grids {
	struct gv_grid_head *tail; /* circular list, tail->next is next in turn */
	_Atomic unsigned users;    /* changed under the lock */
	unsigned paused;
};

struct thread {
	struct gv_cu_pool *pool;
	pthread_t id;
};

struct gv_cu_pool {
	struct gv_dev *dev;
	pthread_mutex_t lock;
	pthread_cond_t work, left;
	bool quit;
	unsigned waiters;      /* for `left` */
	_Atomic uint32_t news; /* how often `work` was signalled */
	uint64_t paused_ns;    /* the last pause */
	unsigned next_fn, num_threads;
	struct fn_grids fn[GV_DEV_MAX_FUNCS];
	struct thread *thread;
};

static bool wants_thread(struct gv_grid_head *g)
{
	return !atomic_load(&g->cancel) && g->has_work(g);
}

/* Next grid of the function in turn; @take: and move on. */
static struct gv_grid_head *next_grid(struct fn_grids *fg, bool take)
{
	struct gv_grid_head *at = fg->tail;

	if (!at || fg->paused)
		return NULL;
	do {
		at = at->next;
		if (wants_thread(at)) {
			if (take)
				fg->tail = at;
			return at;
		}
	} while (at != fg->tail);
	return NULL;
}

/* Function whose turn it is, or NULL when there is nothing to do. */
static struct gv_fn *next_fn(struct gv_cu_pool *pool)
{
	for (unsigned i = 0; i < GV_DEV_MAX_FUNCS; i++) {
		unsigned n = (pool->next_fn + i) % GV_DEV_MAX_FUNCS;

		if (gv_fn_stopping(&pool->dev->fn[n]) || !next_grid(&pool->fn[n], false))
			continue;
		pool->next_fn = n + 1;
		return &pool->dev->fn[n];
	}
	return NULL;
}

/* True: somebody waits for just that, and is to be woken once the lock is free. */
static bool leave_grid(struct gv_cu_pool *pool, struct gv_grid_head *g, void *part)
{
	unsigned left = --pool->fn[g->fn->index].users;

	g->put(g, part);
	g->users--;
	if (!g->users && !g->waiting && !g->has_work(g)) {
		atomic_store(&g->over, true);
		gv_worker_kick(&g->fn->cp->worker);
	}
	return pool->waiters && (!left || !g->users);
}

/* A part somewhere is to be tried again later: has_work() will find it when its time has come. */
static bool has_waiting(const struct gv_cu_pool *pool)
{
	for (unsigned i = 0; i < GV_DEV_MAX_FUNCS; i++) {
		const struct gv_grid_head *tail = pool->fn[i].tail, *at = tail;

		if (!tail || pool->fn[i].paused)
			continue;
		do {
			at = at->next;
			if (at->waiting && !atomic_load(&at->cancel))
				return true;
		} while (at != tail);
	}
	return false;
}

/* One slice for @f, whose memory is entered. */
static void run_slice(struct gv_cu_pool *pool, struct gv_fn *f)
{
	struct gv_grid_head *g;
	bool awaited = false;
	void *part;

	(void)pthread_mutex_lock(&pool->lock);
	g = gv_fn_stopping(f) ? NULL : next_grid(&pool->fn[f->index], true);
	if (g) {
		part = g->take(g);
		g->users++;
		pool->fn[f->index].users++;
		(void)pthread_mutex_unlock(&pool->lock);
		g->slice(g, part);
		(void)pthread_mutex_lock(&pool->lock);
		awaited = leave_grid(pool, g, part);
	}
	(void)pthread_mutex_unlock(&pool->lock);
	if (awaited)
		(void)pthread_cond_broadcast(&pool->left);
}

/* Until there is something new to do, or BUSY_NS. Under the pool's lock. */
static void wait_a_little(struct gv_cu_pool *pool)
{
	(void)gv_cond_wait_until(&pool->work, &pool->lock, gv_now_ns() + BUSY_NS);
}

/* There is something new to do. Under the pool's lock. */
static void call(struct gv_cu_pool *pool)
{
	atomic_fetch_add(&pool->news, 1);
	(void)pthread_cond_broadcast(&pool->work);
}

/* Until there is something new to do. Under the pool's lock, which it drops meanwhile. A function
 * that was paused just now goes on soon, or another does: waking threads for it would take longer
 * than the pause. */
static void rest(struct gv_cu_pool *pool)
{
	uint64_t end = pool->paused_ns + SPIN_NS;
	uint32_t news = atomic_load(&pool->news);

	if (gv_now_ns() >= end) {
		(void)pthread_cond_wait(&pool->work, &pool->lock);
		return;
	}
	(void)pthread_mutex_unlock(&pool->lock);
	while (atomic_load_explicit(&pool->news, memory_order_relaxed) == news && gv_now_ns() < end)
		(void)sched_yield();
	(void)pthread_mutex_lock(&pool->lock);
}

static void *loop(void *arg)
{
	struct gv_cu_pool *pool = ((struct thread *)arg)->pool;
	unsigned refused = 0; /* in a row */
	struct gv_fn *f;

	/* Shaders of one VF would keep the processor of another VF's guest from its next launch,
	 * which on silicon they cannot: of this thread alone, and not if it may not. */
	(void)!nice(SHADER_NICE);
	(void)pthread_mutex_lock(&pool->lock);
	while (!pool->quit) {
		f = next_fn(pool);
		if (!f) {
			if (has_waiting(pool))
				wait_a_little(pool);
			else
				rest(pool);
			continue;
		}
		(void)pthread_mutex_unlock(&pool->lock);
		refused++;
		if (pthread_rwlock_tryrdlock(&f->mem_lock) == 0) {
			run_slice(pool, f);
			gv_fn_mem_leave(f);
			refused = 0;
		}
		(void)pthread_mutex_lock(&pool->lock);
		/* The function's memory is being changed, which can take long when its client is
		 * slow: its turn is skipped, so that the threads are there for the others. Only
		 * when there was nobody else they rest. */
		if (refused == GV_DEV_MAX_FUNCS && !pool->quit) {
			wait_a_little(pool);
			refused = 0;
		}
	}
	(void)pthread_mutex_unlock(&pool->lock);
	return NULL;
}

void gv_cu_pool_add(struct gv_cu_pool *pool, struct gv_grid_head *g)
{
	struct fn_grids *fg = &pool->fn[g->fn->index];

	(void)pthread_mutex_lock(&pool->lock);
	g->next = fg->tail ? fg->tail->next : g;
	if (fg->tail)
		fg->tail->next = g;
	fg->tail = g;
	g->queued = true;
	if (!fg->paused)
		call(pool);
	(void)pthread_mutex_unlock(&pool->lock);
}

static void unlink_grid(struct fn_grids *fg, struct gv_grid_head *g)
{
	struct gv_grid_head *before = g;

	while (before->next != g)
		before = before->next;
	before->next = g->next;
	if (fg->tail == g)
		fg->tail = before == g ? NULL : before;
	g->queued = false;
}

/* Until no thread is in what *@users counts: true. They leave within microseconds, but where all
 * CPUs are busy one of them waits for this very CPU. Under the pool's lock, which it drops
 * meanwhile. */
static bool wait_users(struct gv_cu_pool *pool, const _Atomic unsigned *users, uint64_t end_ns)
{
	uint64_t end;

	if (!atomic_load(users))
		return true;
	(void)pthread_mutex_unlock(&pool->lock);
	end = gv_now_ns() + PATIENCE_NS;
	do
		(void)sched_yield();
	while (atomic_load(users) && gv_now_ns() < end);
	(void)pthread_mutex_lock(&pool->lock);
	pool->waiters++;
	while (atomic_load(users) && gv_cond_wait_until(&pool->left, &pool->lock, end_ns))
		;
	pool->waiters--;
	return !atomic_load(users);
}

void gv_cu_pool_remove(struct gv_cu_pool *pool, struct gv_grid_head *g)
{
	atomic_store(&g->cancel, true);
	(void)pthread_mutex_lock(&pool->lock);
	if (g->queued)
		unlink_grid(&pool->fn[g->fn->index], g);
	(void)wait_users(pool, &g->users, UINT64_MAX);
	(void)pthread_mutex_unlock(&pool->lock);
}

bool gv_cu_pool_pause_until(struct gv_cu_pool *pool, struct gv_fn *f, uint64_t end_ns)
{
	struct fn_grids *fg = &pool->fn[f->index];
	bool left;

	(void)pthread_mutex_lock(&pool->lock);
	fg->paused++;
	pool->paused_ns = gv_now_ns();
	left = wait_users(pool, &fg->users, end_ns);
	(void)pthread_mutex_unlock(&pool->lock);
	return left;
}

void gv_cu_pool_resume(struct gv_cu_pool *pool, struct gv_fn *f)
{
	(void)pthread_mutex_lock(&pool->lock);
	pool->fn[f->index].paused--;
	if (next_grid(&pool->fn[f->index], false) || has_waiting(pool))
		call(pool);
	(void)pthread_mutex_unlock(&pool->lock);
}

static int start_threads(struct gv_cu_pool *pool, unsigned threads)
{
	char name[16];

	for (unsigned i = 0; i < threads; i++) {
		struct thread *t = &pool->thread[i];
		int rc;

		t->pool = pool;
		rc = pthread_create(&t->id, NULL, loop, t);
		if (rc)
			return -rc;
		pool->num_threads++;
		(void)snprintf(name, sizeof(name), "gv-cu%u", i);
		(void)pthread_setname_np(t->id, name);
	}
	return 0;
}

int gv_cu_pool_new(struct gv_dev *dev, unsigned threads, struct gv_cu_pool **out)
{
	struct gv_cu_pool *pool = calloc(1, sizeof(*pool));
	int rc;

	if (!pool)
		return -ENOMEM;
	pool->dev = dev;
	(void)pthread_mutex_init(&pool->lock, NULL);
	(void)pthread_cond_init(&pool->work, NULL);
	(void)pthread_cond_init(&pool->left, NULL);
	pool->thread = calloc(threads, sizeof(*pool->thread));
	rc = pool->thread ? start_threads(pool, threads) : -ENOMEM;
	if (rc) {
		(void)gv_cu_pool_free(pool);
		return rc;
	}
	*out = pool;
	return 0;
}

struct gv_cu_pool *gv_cu_pool_free(struct gv_cu_pool *pool)
{
	if (!pool)
		return NULL;
	(void)pthread_mutex_lock(&pool->lock);
	pool->quit = true;
	call(pool);
	(void)pthread_mutex_unlock(&pool->lock);
	for (unsigned i = 0; i < pool->num_threads; i++)
		(void)pthread_join(pool->thread[i].id, NULL);
	(void)pthread_cond_destroy(&pool->left);
	(void)pthread_cond_destroy(&pool->work);
	(void)pthread_mutex_destroy(&pool->lock);
	free(pool->thread);
	free(pool);
	return NULL;
}
