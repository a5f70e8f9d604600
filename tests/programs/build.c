/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* Both sides round after every operation, and division rounds right. */
#define LANGUAGE_CL "-x cl -cl-std=CL2.0 -ffp-contract=off -cl-fp32-correctly-rounded-divide-sqrt"
#define LANGUAGE_C  "-x c -std=gnu11 -ffp-contract=off"
#define FOR_GPU     "-target amdgcn-amd-amdhsa -mcpu=gfx900 -nogpulib"
#define FOR_CPU     "-target x86_64-linux-gnu -mf16c"

/* FNV-1a */
static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		h = (h ^ ((const uint8_t *)data)[i]) * 0x100000001b3ull;
	return h;
}

static int hash_file(const char *path, uint64_t *h, struct gv_err *err)
{
	FILE *f = fopen(path, "re");
	uint8_t block[4096];
	size_t n;

	if (!f)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	while ((n = fread(block, 1, sizeof(block), f)) > 0)
		*h = hash(*h, block, n);
	(void)fclose(f);
	return 0;
}

/* Everything that is part of each program. */
static int hash_common(const struct build_tools *t, uint64_t *h, struct gv_err *err)
{
	static const char *const files[] = {"program.h", "reference.c", "kernel_of_c.cl"};
	static const char flags[] = LANGUAGE_CL LANGUAGE_C FOR_GPU FOR_CPU;
	struct stat st;
	char path[512];
	int rc = 0;

	*h = hash(0xcbf29ce484222325ull, flags, sizeof(flags));
	if (!stat(t->clang, &st)) /* a compiler was updated */
		*h = hash(*h, &st.st_mtim, sizeof(st.st_mtim));
	for (size_t i = 0; i < GV_ARRAY_LEN(files) && !rc; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", t->support, files[i]);
		rc = hash_file(path, h, err);
	}
	return rc;
}

static bool is_c(const char *source)
{
	size_t n = strlen(source);

	return n > 2 && !strcmp(source + n - 2, ".c");
}

static bool is_there(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_size > 0;
}

/* Shell commands. Each result appears under its name only when it is whole. */

static void write_object(const struct build_tools *t, const struct job *j, char *text, size_t room)
{
	if (is_c(j->source))
		(void)snprintf(text, room,
		               "$CC %s %s -O%c -emit-llvm -c %s -o $B.bc && "
		               "$CC %s %s -O%c -Xclang -mlink-bitcode-file -Xclang $B.bc "
		               "%s/kernel_of_c.cl -o $B.tmp && mv $B.tmp %s",
		               LANGUAGE_C, FOR_GPU, j->level, j->source, LANGUAGE_CL, FOR_GPU,
		               j->level, t->support, j->object);
	else
		(void)snprintf(text, room, "$CC %s %s -O%c %s -o $B.tmp && mv $B.tmp %s",
		               LANGUAGE_CL, FOR_GPU, j->level, j->source, j->object);
}

static void write_reference(const struct build_tools *t, const struct job *j, char *text,
                            size_t room)
{
	(void)snprintf(text, room,
	               "$CC %s %s -O1 -c %s -o $B.o && "
	               "$CC -O1 %s/reference.c $B.o -lm -o $B.exe && "
	               "timeout 60 $B.exe >$B.out && mv $B.out %s",
	               is_c(j->source) ? LANGUAGE_C : LANGUAGE_CL, FOR_CPU, j->source, t->support,
	               j->reference);
}

/* Runs in a process of its own what has to be done for @j: the code object, and the reference
 * where nobody else makes it. */
static pid_t run_commands(const struct build_tools *t, const struct job *j, bool reference)
{
	char object[4096] = ":", cpu[4096] = ":", text[9216];
	pid_t pid;

	if (!is_there(j->object))
		write_object(t, j, object, sizeof(object));
	if (reference)
		write_reference(t, j, cpu, sizeof(cpu));
	(void)snprintf(text, sizeof(text),
	               "B=%s; exec >$B 2>&1; CC='%s -w -I%s -idirafter /usr/include/csmith'; %s && "
	               "%s; rc=$?; "
	               "rm -f $B.o $B.exe $B.bc $B.tmp $B.out; exit $rc",
	               j->log, t->clang, t->support, object, cpu);
	pid = fork();
	if (pid)
		return pid;
	(void)execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
}

/* 0 when there is nothing to do. @before: the job before this one, NULL for the first. */
static pid_t start(const struct build_tools *t, uint64_t common, const struct job *before,
                   struct job *j)
{
	struct gv_err err = {0};
	uint64_t h = common;
	bool reference;

	j->status = hash_file(j->source, &h, &err);
	if (j->status)
		return 0;
	(void)snprintf(j->object, sizeof(j->object), "%s/%s-%016llx-O%c.co", t->cache, j->name,
	               (unsigned long long)h, j->level);
	(void)snprintf(j->log, sizeof(j->log), "%s/%s-%016llx-O%c.log", t->cache, j->name,
	               (unsigned long long)h, j->level);
	(void)snprintf(j->reference, sizeof(j->reference), "%s/%s-%016llx.ref", t->cache, j->name,
	               (unsigned long long)h);
	/* levels of a program follow each other, and the first makes the reference for all */
	reference = !is_there(j->reference) && (!before || strcmp(before->source, j->source));
	return is_there(j->object) && !reference ? 0 : run_commands(t, j, reference);
}

/* Waits for one process of ours. */
static void reap(struct job *jobs, pid_t *pids, unsigned count)
{
	int status = 0;
	pid_t pid = wait(&status);

	for (unsigned i = 0; i < count; i++) {
		if (pids[i] != pid)
			continue;
		pids[i] = 0;
		jobs[i].status = WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -ENOEXEC;
		return;
	}
}

int build_jobs(const struct build_tools *t, struct job *jobs, unsigned count, struct gv_err *err)
{
	gv_auto_free pid_t *pids = calloc(count + 1, sizeof(*pids));
	unsigned running = 0;
	uint64_t common = 0;
	int rc;

	if (!pids)
		return gv_fail(err, -ENOMEM, "out of memory");
	if (mkdir(t->cache, 0777) && errno != EEXIST)
		return gv_fail(err, -errno, "%s: %s", t->cache, strerror(errno));
	rc = hash_common(t, &common, err);
	for (unsigned i = 0; i < count && !rc; i++) {
		if (running == t->parallel) {
			reap(jobs, pids, count);
			running--;
		}
		pids[i] = start(t, common, i ? &jobs[i - 1] : NULL, &jobs[i]);
		if (pids[i] < 0)
			jobs[i].status = -EAGAIN;
		running += pids[i] > 0;
	}
	for (; running; running--)
		reap(jobs, pids, count);
	return rc;
}
