/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <inttypes.h>
#include <string.h>

#include <gv/run_args.h>

#include "cli.h"

struct copy {
	struct gv_guest *guest;
	struct gv_guest_buf *src, *vram, *back;
	uint64_t bytes;
	double to_vram_gb_s, to_system_gb_s;
	uint64_t wrong;
};

static void fill(uint8_t *p, uint64_t bytes)
{
	uint64_t x = 0x9e3779b97f4a7c15ull;

	for (uint64_t i = 0; i < bytes; i += 8) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		memcpy(p + i, &x, (size_t)GV_MIN(bytes - i, (uint64_t)8));
	}
}

static int one_way(struct copy *c, unsigned engine, const struct gv_guest_buf *dst,
                   const struct gv_guest_buf *src, uint64_t timeout_ns, double *gb_s,
                   struct gv_err *err)
{
	struct gv_guest_queue *q = gv_guest_sdma(c->guest, engine);
	uint64_t start = gv_now_ns(), seq = 0;
	int rc = gv_guest_sdma_copy(q, gv_guest_default_vm(c->guest), gv_guest_buf_va(dst),
	                            gv_guest_buf_va(src), c->bytes, &seq, err);

	if (!rc)
		rc = gv_guest_wait(q, seq, start + timeout_ns, err);
	if (!rc)
		*gb_s = (double)c->bytes / (double)(gv_now_ns() - start);
	return rc;
}

static int make_buffers(struct copy *c, struct gv_err *err)
{
	int rc = gv_guest_buf_new(c->guest, NULL, GV_GUEST_SYSTEM, c->bytes, &c->src, err);

	if (!rc)
		rc = gv_guest_buf_new(c->guest, NULL, GV_GUEST_SYSTEM, c->bytes, &c->back, err);
	if (!rc)
		rc = gv_guest_buf_new(c->guest, NULL, GV_GUEST_VRAM, c->bytes, &c->vram, err);
	return rc;
}

static int copy(struct copy *c, uint64_t timeout_ns, struct gv_err *err)
{
	const uint8_t *from, *to;
	int rc = make_buffers(c, err);

	if (rc)
		return rc;
	fill(gv_guest_buf_cpu(c->src), c->bytes);
	memset(gv_guest_buf_cpu(c->back), 0, c->bytes);
	rc = one_way(c, 0, c->vram, c->src, timeout_ns, &c->to_vram_gb_s, err);
	if (!rc)
		rc = one_way(c, 1, c->back, c->vram, timeout_ns, &c->to_system_gb_s, err);
	if (rc)
		return rc;
	from = gv_guest_buf_cpu(c->src);
	to = gv_guest_buf_cpu(c->back);
	for (uint64_t i = 0; i < c->bytes; i++)
		c->wrong += from[i] != to[i];
	return c->wrong ? gv_fail(err, -EIO, "%" PRIu64 " of %" PRIu64 " bytes came back wrong",
	                          c->wrong, c->bytes)
	                : 0;
}

static void print(const struct cli *cli, const struct copy *c)
{
	struct json j = {.f = stdout};

	if (!cli->json) {
		(void)printf("%" PRIu64
		             " bytes: system to VRAM %.2f GB/s (sdma0), VRAM to system %.2f "
		             "GB/s (sdma1), %s\n",
		             c->bytes, c->to_vram_gb_s, c->to_system_gb_s,
		             c->wrong ? "WRONG" : "all bytes right");
		return;
	}
	json_open(&j, '{');
	json_u64(&j, "bytes", c->bytes);
	json_f64(&j, "to_vram_gb_s", c->to_vram_gb_s);
	json_f64(&j, "to_system_gb_s", c->to_system_gb_s);
	json_bool(&j, "verified", !c->wrong);
	json_close(&j, '}');
	json_end(&j);
}

int cmd_copy(struct cli *cli)
{
	struct copy c = {0};
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};
	int rc;

	if (cli->argc != 1 || gv_run_bytes_parse(cli->argv[0], strlen(cli->argv[0]), &c.bytes) ||
	    !c.bytes)
		return cli_usage("copy takes a SIZE, such as 64M");
	if (cli_open(cli, 0, &bus, &c.guest, &err))
		return cli_fail(&err);
	rc = copy(&c, cli->timeout_ns, &err);
	if (!rc || c.wrong)
		print(cli, &c);
	gv_guest_buf_free(c.vram);
	gv_guest_buf_free(c.back);
	gv_guest_buf_free(c.src);
	cli_close(bus, c.guest);
	return rc ? cli_fail(&err) : CLI_OK;
}
