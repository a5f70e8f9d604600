/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <gv/packets.h>

#include "stage.h"

/* VF1's frame buffer is smaller than its aperture, so that there is an outside to reach for. */
static const char profile[] = "{\"num_vfs\":2,\"vfs\":[{\"fb_mib\":256},{\"fb_mib\":128}]}";

static void give_up(struct stage *s, const char *what)
{
	fprintf(stderr, "%s: %s\n", what, s->err.text);
	gv_procs_stop(&s->procs);
	exit(1);
}

static int open_actor(struct stage *s, struct actor *a, unsigned vf)
{
	char uri[160];
	int rc;

	a->vf = vf;
	(void)snprintf(uri, sizeof(uri), "vfio-user:%s/gpu/vf%u.sock", s->procs.dir, vf);
	rc = gv_bus_open(uri, NULL, NULL, &a->bus, &s->err);
	if (rc == 0)
		rc = gv_guest_open(a->bus, NULL, &a->guest, &s->err);
	if (rc == 0)
		gv_guest_get_info(a->guest, &a->info);
	return rc;
}

static void close_actor(struct actor *a)
{
	a->guest = gv_guest_close(a->guest);
	a->bus = gv_bus_close(a->bus);
}

static void fill_treasure(struct stage *s)
{
	uint32_t x = 2463534242u;

	s->copy = malloc(TREASURE_BYTES);
	if (!s->copy || gv_guest_buf_new(s->victim.guest, NULL, GV_GUEST_VRAM, TREASURE_BYTES,
	                                 &s->treasure, &s->err))
		give_up(s, "treasure");
	for (size_t i = 0; i < TREASURE_BYTES; i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		s->copy[i] = (uint8_t)x;
	}
	if (gv_guest_buf_upload(s->treasure, 0, s->copy, TREASURE_BYTES, &s->err))
		give_up(s, "filling the treasure");
}

void stage_open(struct stage *s)
{
	const char *bin = getenv("GV_BIN");
	char path[] = "/tmp/gv-attack-XXXXXX";
	int fd = mkstemp(path);

	memset(s, 0, sizeof(*s));
	if (!bin || fd < 0 || write(fd, profile, strlen(profile)) != (ssize_t)strlen(profile)) {
		fprintf(stderr, "SKIP: GV_BIN is not set, or no temporary file\n");
		exit(77);
	}
	if (gv_procs_start(&s->procs, bin, path, &s->err))
		give_up(s, "start");
	(void)close(fd);
	(void)unlink(path);
	if (open_actor(s, &s->victim, 0))
		give_up(s, "victim");
	fill_treasure(s);
	if (stage_new_attacker(s))
		give_up(s, "attacker");
}

void stage_close(struct stage *s)
{
	close_actor(&s->attacker);
	s->treasure = gv_guest_buf_free(s->treasure);
	close_actor(&s->victim);
	gv_procs_stop(&s->procs);
	free(s->copy);
}

int stage_new_attacker(struct stage *s)
{
	const struct timespec pause = {.tv_nsec = 300 * GV_MS};
	int rc = -EACCES;

	close_actor(&s->attacker);
	/* The daemon bounds how often a VF may ask for the GPU: refused, a guest comes back later.
	 */
	for (int i = 0; rc == -EACCES && i < 10; i++) {
		rc = open_actor(s, &s->attacker, 1);
		if (rc == -EACCES) {
			close_actor(&s->attacker);
			(void)nanosleep(&pause, NULL);
		}
	}
	if (rc)
		fprintf(stderr, "attacker: %s\n", s->err.text);
	return rc;
}

static bool queue_works(struct stage *s, struct gv_guest_queue *q, uint32_t nop)
{
	uint64_t seq;

	return gv_guest_submit(q, &nop, 1, &seq, &s->err) == 0 &&
	       gv_guest_wait(q, seq, gv_now_ns() + 20 * GV_S, &s->err) == 0;
}

bool stage_victim_is_well(struct stage *s)
{
	gv_auto_free uint8_t *now = malloc(TREASURE_BYTES);

	if (!now || gv_guest_buf_download(s->treasure, 0, now, TREASURE_BYTES, &s->err)) {
		fprintf(stderr, "reading the treasure: %s\n", s->err.text);
		return false;
	}
	if (memcmp(now, s->copy, TREASURE_BYTES) != 0) {
		fprintf(stderr, "the treasure changed\n");
		return false;
	}
	if (queue_works(s, gv_guest_compute(s->victim.guest, 0), GV_PM4_NOP1) &&
	    queue_works(s, gv_guest_sdma(s->victim.guest, 0), 0))
		return true;
	fprintf(stderr, "the victim's queue: %s\n", s->err.text);
	return false;
}

uint64_t stage_counter(const struct stage *s, const struct actor *who, const char *name)
{
	uint64_t v = 0;

	if (gv_procs_counter(&s->procs, who->vf + 1, name, &v))
		fprintf(stderr, "no counter %s of VF%u\n", name, who->vf);
	return v;
}
