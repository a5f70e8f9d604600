/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include <gv/run_args.h>

#include "cli.h"

struct run {
	const char *code, *kernel_name;
	uint32_t grid[3], block[3];
	bool has_grid, has_block, aql;
	struct gv_run_arg *arg;
	unsigned count;
	struct gv_guest_buf *buf[GV_CO_MAX_ARGS];
	struct gv_guest *guest;
	double ms;
};

/* ---- command line ---------------------------------------------------------------- */

static int parse_dims(const char *text, uint32_t dims[3])
{
	for (unsigned i = 0; i < 3; i++) {
		char *end = NULL;
		uint64_t v;

		errno = 0;
		if (text[0] < '0' || text[0] > '9')
			return -EINVAL;
		v = strtoull(text, &end, 10);
		if (errno || !v || v > UINT32_MAX || (*end && *end != ','))
			return -EINVAL;
		dims[i] = (uint32_t)v;
		if (!*end)
			return 0;
		text = end + 1;
	}
	return -EINVAL;
}

static int parse_option(struct run *r, const char *name, const char *val)
{
	struct gv_err err = {0};

	if (!val)
		return cli_usage("%s: a value is missing", name);
	if (!strcmp(name, "--grid") || !strcmp(name, "--block")) {
		bool grid = name[2] == 'g';

		if (parse_dims(val, grid ? r->grid : r->block))
			return cli_usage("%s %s: X[,Y[,Z]] is meant, each 1 or more", name, val);
		r->has_grid |= grid;
		r->has_block |= !grid;
		return CLI_OK;
	}
	if (strcmp(name, "--arg"))
		return cli_usage("'%s' is no option of run", name);
	if (r->count == GV_CO_MAX_ARGS)
		return cli_usage("more than %u arguments", GV_CO_MAX_ARGS);
	if (gv_run_arg_parse(val, &r->arg[r->count], &err))
		return cli_usage("%s", err.text);
	r->count++;
	return CLI_OK;
}

static int parse(struct cli *cli, struct run *r)
{
	for (int i = 0; i < cli->argc; i++) {
		if (!strcmp(cli->argv[i], "--aql")) {
			r->aql = true;
		} else if (!strncmp(cli->argv[i], "--", 2)) {
			const char *val = i + 1 < cli->argc ? cli->argv[i + 1] : NULL;
			int rc = parse_option(r, cli->argv[i++], val);

			if (rc)
				return rc;
		} else if (!r->code) {
			r->code = cli->argv[i];
		} else if (!r->kernel_name) {
			r->kernel_name = cli->argv[i];
		} else {
			return cli_usage("'%s' is one word too many", cli->argv[i]);
		}
	}
	if (!r->code || !r->kernel_name)
		return cli_usage("run takes CODE.co and KERNEL");
	if (!r->has_grid || !r->has_block)
		return cli_usage("run needs --grid and --block (in work items)");
	return CLI_OK;
}

/* ---- files ------------------------------------------------------------------------- */

static int read_file(const char *path, uint8_t **data, uint64_t *bytes, struct gv_err *err)
{
	gv_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC);
	gv_auto_free uint8_t *buf = NULL;
	uint64_t got = 0, size;
	struct stat st;

	if (fd < 0 || fstat(fd, &st))
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return gv_fail(err, -EINVAL, "%s: not a regular file", path);
	if (!st.st_size)
		return gv_fail(err, -EINVAL, "%s: the file is empty", path);
	size = (uint64_t)st.st_size;
	buf = malloc(size);
	if (!buf)
		return gv_fail(err, -ENOMEM, "%s: out of memory for %" PRIu64 " bytes", path, size);
	while (got < size) {
		ssize_t n = read(fd, buf + got, size - got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return gv_fail(err, n ? -errno : -EIO, "%s: read failed", path);
		got += (uint64_t)n;
	}
	*data = GV_TAKE(buf);
	*bytes = size;
	return 0;
}

static int write_file(const char *path, const uint8_t *data, uint64_t bytes, struct gv_err *err)
{
	gv_auto_fd int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	uint64_t put = 0;

	if (fd < 0)
		return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
	while (put < bytes) {
		ssize_t n = write(fd, data + put, bytes - put);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return gv_fail(err, -errno, "%s: %s", path, strerror(errno));
		put += (uint64_t)n;
	}
	return close(gv_take_fd(&fd)) ? gv_fail(err, -errno, "%s: %s", path, strerror(errno)) : 0;
}

/* ---- buffers -------------------------------------------------------------------------- */

static int make_buffer(struct run *r, unsigned i, struct gv_err *err)
{
	struct gv_run_arg *a = &r->arg[i];
	gv_auto_free uint8_t *data = NULL;
	int rc = 0;

	if (a->kind == GV_RUN_OUT) {
		data = calloc(1, a->bytes);
		if (!data)
			rc = gv_fail(err, -ENOMEM, "out of memory for %" PRIu64 " bytes", a->bytes);
	} else {
		rc = read_file(a->in, &data, &a->bytes, err);
	}
	if (!rc)
		rc = gv_guest_buf_new(r->guest, NULL, GV_GUEST_VRAM, a->bytes, &r->buf[i], err);
	if (!rc)
		rc = gv_guest_buf_upload(r->buf[i], 0, data, a->bytes, err);
	return rc;
}

static int make_buffers(struct run *r, struct gv_err *err)
{
	for (unsigned i = 0; i < r->count; i++) {
		enum gv_run_kind kind = r->arg[i].kind;

		if (kind != GV_RUN_BUF && kind != GV_RUN_INOUT && kind != GV_RUN_OUT)
			continue;
		if (make_buffer(r, i, err))
			return gv_fail_prefix(err, "--arg %u", i + 1);
	}
	return 0;
}

static int save_buffers(struct run *r, struct gv_err *err)
{
	for (unsigned i = 0; i < r->count; i++) {
		const struct gv_run_arg *a = &r->arg[i];
		gv_auto_free uint8_t *data = NULL;
		int rc;

		if (!a->out[0])
			continue;
		data = malloc(a->bytes);
		if (!data)
			return gv_fail(err, -ENOMEM, "out of memory for %" PRIu64 " bytes",
			               a->bytes);
		rc = gv_guest_buf_download(r->buf[i], 0, data, a->bytes, err);
		if (!rc)
			rc = write_file(a->out, data, a->bytes, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- launch ------------------------------------------------------------------------------ */

static void fill_kernarg(const struct run *r, uint8_t *kernarg)
{
	for (unsigned i = 0; i < r->count; i++) {
		const struct gv_run_arg *a = &r->arg[i];
		uint64_t va;

		if (!a->placed)
			continue;
		if (r->buf[i]) {
			va = gv_guest_buf_va(r->buf[i]);
			memcpy(kernarg + a->offset, &va, sizeof(va));
		} else if (a->kind == GV_RUN_LDS) {
			memcpy(kernarg + a->offset, &a->lds_offset, sizeof(a->lds_offset));
		} else {
			memcpy(kernarg + a->offset, a->value, a->bytes);
		}
	}
}

static int run_pm4(struct cli *cli, struct run *r, struct gv_guest_program *program,
                   const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                   struct gv_err *err)
{
	struct gv_guest_queue *q = gv_guest_compute(r->guest, cli->queue);
	uint64_t start = gv_now_ns(), seq = 0;
	int rc = gv_guest_launch(q, program, k, l, &seq, err);

	if (!rc)
		rc = gv_guest_wait(q, seq, start + cli->timeout_ns, err);
	r->ms = (double)(gv_now_ns() - start) / (double)GV_MS;
	return rc;
}

static int run_aql(struct cli *cli, struct run *r, struct gv_guest_program *program,
                   const struct gv_co_kernel *k, const struct gv_guest_launch *l,
                   struct gv_err *err)
{
	struct gv_guest_aql *q = NULL;
	uint64_t start, index = 0;
	int rc = gv_guest_aql_new(r->guest, &q, err);

	if (rc)
		return rc;
	start = gv_now_ns();
	rc = gv_guest_aql_launch(q, program, k, l, &index, err);
	if (!rc)
		rc = gv_guest_aql_wait(q, index, start + cli->timeout_ns, err);
	r->ms = (double)(gv_now_ns() - start) / (double)GV_MS;
	(void)gv_guest_aql_free(q);
	return rc;
}

static int launch(struct cli *cli, struct run *r, const struct gv_co *co,
                  const struct gv_co_kernel *k, uint32_t lds, struct gv_err *err)
{
	gv_auto_free uint8_t *kernarg = calloc(1, k->kernarg_bytes + 1);
	struct gv_guest_launch l = {.kernarg_bytes = k->kernarg_bytes, .dynamic_lds_bytes = lds};
	struct gv_guest_program *program = NULL;
	int rc;

	if (!kernarg)
		return gv_fail(err, -ENOMEM, "out of memory");
	rc = gv_guest_program_new(r->guest, co, &program, err);
	if (rc)
		return rc;
	fill_kernarg(r, kernarg);
	l.kernarg = kernarg;
	memcpy(l.grid, r->grid, sizeof(l.grid));
	memcpy(l.block, r->block, sizeof(l.block));
	rc = r->aql ? run_aql(cli, r, program, k, &l, err) : run_pm4(cli, r, program, k, &l, err);
	if (rc == -ETIMEDOUT)
		(void)gv_fail_prefix(err, "not done after %" PRIu64 " s (--timeout)",
		                     cli->timeout_ns / (uint64_t)GV_S);
	gv_guest_program_free(program);
	return rc;
}

static void print(const struct cli *cli, const struct run *r)
{
	struct json j = {.f = stdout};

	if (!cli->json) {
		(void)printf("%s: grid %u,%u,%u in groups of %u,%u,%u: %.3f ms\n", r->kernel_name,
		             r->grid[0], r->grid[1], r->grid[2], r->block[0], r->block[1],
		             r->block[2], r->ms);
		return;
	}
	json_open(&j, '{');
	json_str(&j, "kernel", r->kernel_name);
	json_key(&j, "grid");
	json_open(&j, '[');
	for (unsigned i = 0; i < 3; i++)
		json_u64(&j, NULL, r->grid[i]);
	json_close(&j, ']');
	json_key(&j, "block");
	json_open(&j, '[');
	for (unsigned i = 0; i < 3; i++)
		json_u64(&j, NULL, r->block[i]);
	json_close(&j, ']');
	json_f64(&j, "ms", r->ms);
	json_close(&j, '}');
	json_end(&j);
}

static int run(struct cli *cli, struct run *r, const struct gv_co *co, const struct gv_co_kernel *k,
               uint32_t lds, struct gv_err *err)
{
	struct gv_bus *bus = NULL;
	int rc = cli_open(cli, cli->queue + 1, &bus, &r->guest, err);

	if (rc)
		return rc;
	rc = make_buffers(r, err);
	if (!rc)
		rc = launch(cli, r, co, k, lds, err);
	if (!rc)
		rc = save_buffers(r, err);
	for (unsigned i = 0; i < r->count; i++)
		gv_guest_buf_free(r->buf[i]);
	cli_close(bus, r->guest);
	return rc;
}

int cmd_run(struct cli *cli)
{
	gv_auto_free struct gv_run_arg *args = calloc(GV_CO_MAX_ARGS, sizeof(*args));
	struct run r = {.grid = {1, 1, 1}, .block = {1, 1, 1}, .arg = args};
	const struct gv_co_kernel *k = NULL;
	struct gv_co *co = NULL;
	struct gv_err err = {0};
	uint32_t lds = 0;
	int rc;

	if (!args)
		return CLI_FAILED;
	rc = parse(cli, &r);
	if (rc)
		return rc;
	/* everything that can be known without the device is checked before it */
	rc = gv_co_open(r.code, &co, &err);
	if (!rc && gv_co_find(co, r.kernel_name, &k, &err))
		rc = gv_fail_prefix(&err, "%s", r.code);
	if (!rc)
		rc = gv_run_args_place(k, r.arg, r.count, &lds, &err);
	if (!rc)
		rc = run(cli, &r, co, k, lds, &err);
	if (!rc)
		print(cli, &r);
	gv_co_free(co);
	return rc ? cli_fail(&err) : CLI_OK;
}
