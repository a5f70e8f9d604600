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

static bool is_there(const char *path)
{
	struct stat st;

	return !stat(path, &st) && st.st_size > 0;
}

/* The shell commands of one program; each result appears under its name only when it is whole. */
static void write_commands(const struct build_tools *t, const struct job *j, const char *base,
                           char *text, size_t room)
{
	bool c = strlen(j->source) > 2 && !strcmp(j->source + strlen(j->source) - 2, ".c");
	const char *language = c ? LANGUAGE_C : LANGUAGE_CL;
	char gpu[2048];

	if (c)
		(void)snprintf(gpu, sizeof(gpu),
		               "$CC %s %s $O -emit-llvm -c %s -o %s.bc && "
		               "$CC %s %s $O -Xclang -mlink-bitcode-file -Xclang %s.bc "
		               "%s/kernel_of_c.cl -o %s.tmp",
		               LANGUAGE_C, FOR_GPU, j->source, base, LANGUAGE_CL, FOR_GPU, base,
		               t->support, base);
	else
		(void)snprintf(gpu, sizeof(gpu), "$CC %s %s $O %s -o %s.tmp", LANGUAGE_CL, FOR_GPU,
		               j->source, base);
	(void)snprintf(text, room,
	               "exec >%s 2>&1; CC='%s -w -I%s'; O=-O%c; %s && mv %s.tmp %s && "
	               "$CC %s %s $O -c %s -o %s.o && $CC -O1 %s/reference.c %s.o -o %s.exe && "
	               "timeout 60 %s.exe >%s.tmp && mv %s.tmp %s; rc=$?; "
	               "rm -f %s.o %s.exe %s.bc %s.tmp; exit $rc",
	               j->log, t->clang, t->support, j->level, gpu, base, j->object, language,
	               FOR_CPU, j->source, base, t->support, base, base, base, base, base,
	               j->reference, base, base, base, base);
}

/* Starts what has to be done for @j: a process, 0 when there is nothing to do. */
static pid_t start(const struct build_tools *t, uint64_t common, struct job *j)
{
	char base[400], text[8192];
	struct gv_err err = {0};
	uint64_t h = common;
	pid_t pid;

	j->status = hash_file(j->source, &h, &err);
	if (j->status)
		return 0;
	(void)snprintf(base, sizeof(base), "%s/%s-O%c-%016llx", t->cache, j->name, j->level,
	               (unsigned long long)h);
	(void)snprintf(j->object, sizeof(j->object), "%s.co", base);
	(void)snprintf(j->reference, sizeof(j->reference), "%s.ref", base);
	(void)snprintf(j->log, sizeof(j->log), "%s.log", base);
	if (is_there(j->object) && is_there(j->reference))
		return 0;
	write_commands(t, j, base, text, sizeof(text));
	pid = fork();
	if (pid)
		return pid;
	(void)execl("/bin/sh", "sh", "-c", text, (char *)NULL);
	_exit(127);
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
		pids[i] = start(t, common, &jobs[i]);
		if (pids[i] < 0)
			jobs[i].status = -EAGAIN;
		running += pids[i] > 0;
	}
	for (; running; running--)
		reap(jobs, pids, count);
	return rc;
}
