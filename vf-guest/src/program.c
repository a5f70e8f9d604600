/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Code objects in GPU memory. */
#include <string.h>

#include "guest.h"

/* ---- programs --------------------------------------------------------------------- */

static int upload(struct gv_guest_program *p, struct gv_err *err)
{
	uint64_t bytes = p->co ? gv_co_image_bytes(p->co) : p->code_bytes;
	gv_auto_free uint8_t *image = NULL;

	if (!p->co)
		return gv_guest_buf_upload(p->buf, 0, p->code, bytes, err);
	image = malloc(bytes);
	if (!image)
		return gv_fail(err, -ENOMEM, "out of memory for an image of %llu bytes",
		               (unsigned long long)bytes);
	gv_co_image(p->co, p->buf->va, image);
	return gv_guest_buf_upload(p->buf, 0, image, bytes, err);
}

static int program_make(const struct gv_guest_program *from, uint64_t bytes,
                        struct gv_guest_program **out, struct gv_err *err)
{
	struct gv_guest_program *p = malloc(sizeof(*p));
	int rc;

	if (!p)
		return gv_fail(err, -ENOMEM, "out of memory");
	*p = *from;
	p->next = p->g->programs;
	rc = gv_guest_buf_new(p->g, NULL, GV_GUEST_VRAM, bytes, &p->buf, err);
	if (!rc)
		rc = upload(p, err);
	if (rc) {
		gv_guest_buf_free(p->buf);
		free(p);
		return rc;
	}
	p->g->programs = p;
	*out = p;
	return 0;
}

int gv_guest_program_new(struct gv_guest *g, const struct gv_co *co, struct gv_guest_program **out,
                         struct gv_err *err)
{
	const struct gv_guest_program p = {.g = g, .co = co};

	return program_make(&p, gv_co_image_bytes(co), out, err);
}

int gv_guest_program_raw(struct gv_guest *g, const void *code, size_t bytes,
                         struct gv_guest_program **out, struct gv_err *err)
{
	const struct gv_guest_program p = {.g = g, .code = code, .code_bytes = bytes};

	return program_make(&p, bytes, out, err);
}

struct gv_guest_program *gv_guest_program_free(struct gv_guest_program *p)
{
	if (!p)
		return NULL;
	for (struct gv_guest_program **at = &p->g->programs; *at; at = &(*at)->next) {
		if (*at == p) {
			*at = p->next;
			break;
		}
	}
	gv_guest_buf_free(p->buf);
	free(p);
	return NULL;
}

int gv_programs_reload(struct gv_guest *g, struct gv_err *err)
{
	int rc = 0;

	for (struct gv_guest_program *p = g->programs; p && !rc; p = p->next)
		rc = upload(p, err);
	return rc;
}
