/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A guest sends garbage into everything that it can reach. The daemon, the GPU and the other VF
 * must go on working, and the VF itself must be usable again by a new guest.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <gv/hw_spec.h>
#include <gv/packets.h>

#include "stage.h"
#include "ut.h"

static struct stage s;
static uint32_t seed = 88172645;

static uint32_t noise(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 17;
	seed ^= seed << 5;
	return seed;
}

static bool daemon_answers(void)
{
	char command[512];

	(void)snprintf(command, sizeof(command),
	               "%s/gpuvisor --socket %s/gpuvisor.sock status >/dev/null", getenv("GV_BIN"),
	               s.procs.dir);
	return system(command) == 0;
}

static void expect_all_well(void)
{
	CU_ASSERT(stage_victim_is_well(&s));
	CU_ASSERT(daemon_answers());
	if (stage_new_attacker(&s)) {
		/* The daemon limits how often a guest may ask for the GPU (mailbox.h): the VF is
		 * refused by name then, which is an answer, not a hang. */
		fprintf(stderr, "note: the attacker's next bring-up: %s\n", s.err.text);
		CU_ASSERT(s.err.code == -EACCES || s.err.code == -ETIMEDOUT);
	}
}

static void mailbox_garbage_is_survived(void)
{
	static const uint32_t word[] = {
	        BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW0__BYTE, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW1__BYTE,
	        BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW2__BYTE, BIF_BX_PF0_MAILBOX_MSGBUF_TRN_DW3__BYTE};

	for (int i = 0; i < 3000; i++) {
		gv_wr32(s.attacker.bus, word[noise() % 4], i % 3 ? noise() : noise() % 512);
		gv_wr8(s.attacker.bus, BIF_BX_PF0_MAILBOX_CONTROL__BYTE + noise() % 2,
		       (uint8_t)noise());
	}
	expect_all_well();
}

static void register_garbage_is_survived(void)
{
	for (int i = 0; i < 20000; i++)
		gv_wr32(s.attacker.bus, noise() % 0x80000 & ~3u, noise());
	expect_all_well();
}

static void ring_garbage_is_survived(void)
{
	for (unsigned q = 0; q < 4; q++) {
		struct gv_guest_queue *queue = q < 2 ? gv_guest_compute(s.attacker.guest, q)
		                                     : gv_guest_sdma(s.attacker.guest, q - 2);
		uint32_t dw[256];
		uint64_t seq;

		for (size_t i = 0; i < GV_ARRAY_LEN(dw); i++)
			dw[i] = i % 4   ? noise()
			        : q < 2 ? gv_pm4_header(noise() % 256, noise() % 12 + 1)
			                : noise() % 0x1100;
		if (queue && gv_guest_submit(queue, dw, GV_ARRAY_LEN(dw), &seq, &s.err) == 0)
			(void)gv_guest_wait(queue, seq, gv_now_ns() + 200 * GV_MS, &s.err);
	}
	expect_all_well();
}

static void doorbell_garbage_is_survived(void)
{
	for (int i = 0; i < 20000; i++) {
		uint64_t v = (uint64_t)noise() << 32 | noise();

		(void)gv_bus_write(s.attacker.bus, GV_REGION_DOORBELL, noise() % (2u << 20) & ~7u,
		                   &v, sizeof(v));
	}
	expect_all_well();
}

static void config_space_garbage_is_survived(void)
{
	for (int i = 0; i < 5000; i++)
		gv_cfg_wr32(s.attacker.bus, (uint16_t)(noise() % 4096 & ~3u), noise());
	expect_all_well();
}

static void send_noise_to(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s/%s", s.procs.dir, path);
	for (int i = 0; i < 200; i++) {
		gv_auto_fd int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		uint32_t data[64];

		for (size_t k = 0; k < GV_ARRAY_LEN(data); k++)
			data[k] = noise();
		if (fd >= 0 && connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
			(void)send(fd, data, noise() % sizeof(data), MSG_NOSIGNAL);
	}
}

static void socket_garbage_is_survived(void)
{
	s.attacker.guest = gv_guest_close(s.attacker.guest);
	s.attacker.bus = gv_bus_close(s.attacker.bus);
	send_noise_to("gpu/vf1.sock");
	send_noise_to("gpu/stats.sock");
	send_noise_to("gpuvisor.sock");
	expect_all_well();
}

int main(int argc, char **argv)
{
	static const struct ut_case cases[] = {
	        UT(ring_garbage_is_survived),     UT(doorbell_garbage_is_survived),
	        UT(register_garbage_is_survived), UT(config_space_garbage_is_survived),
	        UT(socket_garbage_is_survived),   UT(mailbox_garbage_is_survived),
	};
	int rc;

	stage_open(&s);
	rc = ut_main(argc, argv, "garbage", cases, (int)GV_ARRAY_LEN(cases));
	stage_close(&s);
	return rc;
}
