/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gv/record.h>

#include "ut.h"

/* A device of 64 registers: register 1 counts its reads, register 2 shows what was written to it
 * plus one, a doorbell copies the first word of its memory to the second and interrupts. */
struct toy {
	struct gv_bus bus;
	uint32_t reg[64];
	uint32_t plus; /* what register 2 adds: another one is another device */
	struct gv_dma dma;
	int fd;
	bool mute; /* doorbells do nothing */
};

static struct toy *of(struct gv_bus *bus)
{
	return (struct toy *)(void *)bus;
}

static uint32_t toy_read32(struct gv_bus *bus, uint32_t byte)
{
	struct toy *t = of(bus);

	t->reg[1] += byte == 4;
	return t->reg[byte / 4 % 64];
}

static void toy_write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	of(bus)->reg[byte / 4 % 64] = val + (byte == 8 ? of(bus)->plus : 0);
}

static int toy_read(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	uint32_t val;

	if (region == GV_REGION_CONFIG || off > 252)
		return -ERANGE;
	if (region == GV_REGION_VRAM) {
		memset(buf, (int)(off + 1), n);
		return 0;
	}
	val = toy_read32(bus, (uint32_t)off);
	memcpy(buf, &val, GV_MIN(n, sizeof(val)));
	return 0;
}

static int toy_write(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf,
                     size_t n)
{
	uint32_t val = 0;

	memcpy(&val, buf, GV_MIN(n, sizeof(val)));
	if (region == GV_REGION_MMIO)
		toy_write32(bus, (uint32_t)off, val);
	return 0;
}

static void toy_doorbell(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	struct toy *t = of(bus);
	uint32_t *mem = t->dma.cpu;
	uint64_t one = 1;

	(void)byte;
	if (t->mute || !mem)
		return;
	mem[1] = mem[0] + (uint32_t)val;
	if (t->fd >= 0 && write(t->fd, &one, sizeof(one)) < 0)
		CU_FAIL("eventfd");
}

static int toy_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	(void)bus;
	if (region != GV_REGION_MMIO)
		return -ENOENT;
	*bytes = 256;
	return 0;
}

static int toy_map(struct gv_bus *bus, enum gv_region region, uint64_t off, uint64_t bytes,
                   void **cpu)
{
	(void)region;
	(void)off;
	(void)bytes;
	*cpu = of(bus)->reg;
	return 0;
}

static int toy_alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	*dma = (struct gv_dma){.cpu = calloc(1, bytes), .iova = 0x10000, .bytes = bytes};
	of(bus)->dma = *dma;
	return 0;
}

static void toy_free(struct gv_bus *bus, struct gv_dma *dma)
{
	memset(&of(bus)->dma, 0, sizeof(*dma));
	free(dma->cpu);
}

static int toy_irq(struct gv_bus *bus, unsigned vector, int *fd)
{
	if (vector)
		return -EINVAL;
	if (of(bus)->fd < 0)
		of(bus)->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	*fd = of(bus)->fd;
	return 0;
}

static int toy_zero(struct gv_bus *bus)
{
	(void)bus;
	return 0;
}

static void toy_close(struct gv_bus *bus)
{
	gv_closep(&of(bus)->fd);
	free(bus);
}

static const struct gv_bus_ops ops = {.read32 = toy_read32,
                                      .write32 = toy_write32,
                                      .doorbell64 = toy_doorbell,
                                      .read = toy_read,
                                      .write = toy_write,
                                      .region_bytes = toy_bytes,
                                      .map = toy_map,
                                      .dma_alloc = toy_alloc,
                                      .dma_free = toy_free,
                                      .irq_enable = toy_irq,
                                      .reset = toy_zero,
                                      .status = toy_zero,
                                      .close = toy_close};

static struct gv_bus *new_toy(void)
{
	struct toy *t = calloc(1, sizeof(*t));

	t->bus = (struct gv_bus){.ops = &ops, .name = "toy"};
	t->plus = 1;
	t->fd = -1;
	return &t->bus;
}

/* ---- a driver ------------------------------------------------------------------------ */

struct seen {
	uint32_t sum, fence;
	uint64_t bytes, chance, now_ns;
	bool mapped;
};

/* Uses everything, and looks at the time and at chance. */
static struct seen drive(struct gv_bus *bus, uint32_t first)
{
	struct seen s = {0};
	struct gv_dma dma = {0};
	volatile uint32_t *mem;
	uint8_t vram[64];
	unsigned spins = 0;
	void *map;
	int fd = -1;

	CU_ASSERT_EQUAL(gv_bus_region_bytes(bus, GV_REGION_MMIO, &s.bytes), 0);
	CU_ASSERT_EQUAL(gv_bus_region_bytes(bus, GV_REGION_VRAM, &s.bytes), -ENOENT);
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_CONFIG, 0, vram, 4), -ERANGE);
	s.mapped = !gv_bus_map(bus, GV_REGION_VRAM, 0, 4096, &map);
	CU_ASSERT_EQUAL(gv_dma_alloc(bus, 8192, &dma), 0);
	CU_ASSERT_EQUAL(gv_bus_irq_enable(bus, 0, &fd), 0);
	if (!dma.cpu || fd < 0)
		return s; /* the record was another one's */
	mem = dma.cpu;
	gv_wr32(bus, 8, first);
	s.sum = gv_rd32(bus, 8) + gv_rd32(bus, 4) + gv_rd32(bus, 4);
	CU_ASSERT_EQUAL(gv_bus_read(bus, GV_REGION_VRAM, 32, vram, sizeof(vram)), 0);
	s.sum += vram[63];
	mem[0] = 40;
	gv_doorbell64(bus, 0, 2);
	s.now_ns = gv_now_ns();
	while (!mem[1] && gv_now_ns() < s.now_ns + 10 * GV_S)
		gv_poll_pause(&spins);
	s.fence = mem[1];
	CU_ASSERT_EQUAL(gv_irq_wait(fd, gv_now_ns() + 10 * GV_S), 0);
	CU_ASSERT_EQUAL(gv_random64(&s.chance), 0);
	gv_wr32(bus, 12, (uint32_t)s.chance ^ (uint32_t)s.now_ns);
	gv_dma_free(bus, &dma);
	return s;
}

/* ---- files ----------------------------------------------------------------------------- */

static char path[64];

static void fresh_path(void)
{
	int fd;

	(void)snprintf(path, sizeof(path), "/tmp/gv-record-XXXXXX");
	fd = mkstemp(path);
	CU_ASSERT_TRUE_FATAL(fd >= 0);
	(void)close(fd);
}

static struct seen record(uint32_t first)
{
	struct gv_bus *bus = NULL;
	struct seen s;

	fresh_path();
	CU_ASSERT_EQUAL_FATAL(gv_record_bus(new_toy(), path, 0, NULL, &bus, NULL), 0);
	s = drive(bus, first);
	(void)gv_bus_close(bus);
	return s;
}

static char logged[1024];

static void on_log(void *arg, enum gv_log_level level, const char *line)
{
	(void)arg;
	(void)level;
	(void)snprintf(logged, sizeof(logged), "%s", line);
}

static const struct gv_log log_here = {.sink = on_log, .max = GV_LOG_INFO, .who = "t"};

static struct gv_bus *replay(void)
{
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};

	logged[0] = '\0';
	if (gv_replay_bus(path, &log_here, &bus, &err))
		printf("%s\n", err.text);
	CU_ASSERT_PTR_NOT_NULL_FATAL(bus);
	return bus;
}

/* Read and change a byte. */
static void flip(off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t b = 0;

	CU_ASSERT_EQUAL(pread(fd, &b, 1, at), 1);
	b ^= 0x10;
	CU_ASSERT_EQUAL(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static off_t file_bytes(void)
{
	struct stat st = {0};

	(void)stat(path, &st);
	return st.st_size;
}

/* ---- cases ------------------------------------------------------------------------------- */

static void a_driver_sees_the_same_again(void)
{
	struct seen was = record(7), now;
	struct gv_bus *bus = replay();

	CU_ASSERT_EQUAL(was.sum, 8 + 1 + 2 + 33);
	CU_ASSERT_EQUAL(was.fence, 42);
	CU_ASSERT_FALSE(was.mapped); /* what goes past the recorder would be missing */
	CU_ASSERT_STRING_EQUAL(bus->name, "toy");
	now = drive(bus, 7);
	CU_ASSERT_EQUAL(gv_bus_status(bus), 0);
	(void)gv_bus_close(bus);
	CU_ASSERT_PTR_NOT_NULL(strstr(logged, "as recorded, to the end"));
	CU_ASSERT_EQUAL(now.sum, was.sum);
	CU_ASSERT_EQUAL(now.fence, was.fence);
	CU_ASSERT_EQUAL(now.bytes, was.bytes);
	CU_ASSERT_EQUAL(now.chance, was.chance);
	CU_ASSERT_EQUAL(now.now_ns, was.now_ns);
	(void)unlink(path);
}

static void a_driver_that_does_something_else_is_told_where(void)
{
	struct gv_bus *bus;

	(void)record(7);
	bus = replay();
	gv_wr32(bus, 8, 7); /* the region's size was asked first */
	CU_ASSERT_EQUAL(gv_bus_status(bus), -EPROTO);
	CU_ASSERT_EQUAL(gv_rd32(bus, 8), UINT32_MAX);
	CU_ASSERT_PTR_NOT_NULL(strstr(logged, "first difference at record 1,"));
	CU_ASSERT_PTR_NOT_NULL(strstr(logged, "region size BAR5+0x0: 0x0000000000000100 expected, "
	                                      "write BAR5+0x8: 0x00000007 came"));
	(void)gv_bus_close(bus);
	(void)unlink(path);
}

static void a_record_that_ends_early_is_a_lost_device(void)
{
	struct gv_bus *bus;

	(void)record(7);
	CU_ASSERT_EQUAL(truncate(path, file_bytes() - 5), 0);
	CU_ASSERT_NOT_EQUAL(gv_replay_bus(path, &log_here, &bus, NULL), 0); /* its only block */
	(void)unlink(path);
	CU_ASSERT_EQUAL(gv_replay_bus(path, &log_here, &bus, NULL), -ENOENT);
}

static void notes_come_back_where_they_were_made(void)
{
	struct gv_bus *bus = NULL;
	char *note;

	fresh_path();
	CU_ASSERT_EQUAL_FATAL(gv_record_bus(new_toy(), path, 0, NULL, &bus, NULL), 0);
	CU_ASSERT_PTR_NULL(gv_replay_note(bus));
	gv_wr32(bus, 8, 1);
	gv_record_note(bus, "");
	gv_record_note(bus, "do that");
	gv_wr32(bus, 8, 2);
	(void)gv_bus_close(bus);
	bus = replay();
	CU_ASSERT_PTR_NULL(gv_replay_note(bus));
	gv_wr32(bus, 8, 1);
	note = gv_replay_note(bus);
	CU_ASSERT_PTR_NOT_NULL_FATAL(note);
	CU_ASSERT_STRING_EQUAL(note, "do that");
	free(note);
	CU_ASSERT_PTR_NULL(gv_replay_note(bus));
	gv_wr32(bus, 8, 2);
	CU_ASSERT_EQUAL(gv_bus_status(bus), 0);
	(void)gv_bus_close(bus);
	(void)unlink(path);
}

/* ---- the player ----------------------------------------------------------------------------- */

static uint32_t plus;
static bool mute;
static uint64_t late_ns;

static int open_toy(void *arg, struct gv_bus **bus, struct gv_err *err)
{
	struct toy *t = of(new_toy());

	(void)arg;
	(void)err;
	t->plus = plus;
	t->mute = mute;
	*bus = &t->bus;
	return 0;
}

static int play(struct gv_err *err)
{
	const struct gv_play_function f = {.path = path, .open = open_toy};
	struct gv_play_stats s;
	const struct gv_play_rules rules = {.late_ns = late_ns};
	int rc = gv_record_play(&f, 1, &rules, &s, err);

	CU_ASSERT_TRUE(rc ||
	               (s.interrupts == 1 && s.doorbells == 1 && s.dma_bytes && s.reads == 5));
	return rc;
}

static void a_device_that_is_the_same_is_said_to_be(void)
{
	struct gv_err err = {0};

	(void)record(7);
	plus = 1;
	mute = false;
	CU_ASSERT_EQUAL(play(&err), 0);
	if (err.text[0])
		printf("%s\n", err.text);
	(void)unlink(path);
}

static void the_first_answer_that_differs_is_named(void)
{
	struct gv_err err = {0};

	(void)record(7);
	plus = 2;
	mute = false;
	late_ns = 200 * GV_MS;
	CU_ASSERT_EQUAL(play(&err), -EILSEQ);
	CU_ASSERT_PTR_NOT_NULL(strstr(
	        err.text, "read BAR5+0x8: 0x00000008 expected, read BAR5+0x8: 0x00000009 came"));
	plus = 1;
	mute = true;
	CU_ASSERT_EQUAL(play(&err), -EILSEQ);
	CU_ASSERT_TRUE(strstr(err.text, "device's DMA memory 0x10004") ||
	               strstr(err.text, "interrupt 0 expected, none came"));
	late_ns = 0;
	(void)unlink(path);
}

static void a_byte_that_was_changed_is_found_wherever_it_is(void)
{
	struct gv_err err;
	off_t n;

	(void)record(7);
	n = file_bytes();
	plus = 1;
	mute = false;
	for (off_t at = 0; at < n; at += 1 + n / 200) {
		flip(at);
		err = (struct gv_err){0};
		CU_ASSERT_NOT_EQUAL(play(&err), 0);
		CU_ASSERT_TRUE(err.text[0]);
		flip(at);
	}
	CU_ASSERT_EQUAL(play(&err), 0);
	(void)unlink(path);
}

static void what_was_written_before_a_crash_can_be_played(void)
{
	struct gv_bus *bus = NULL;
	struct gv_err err = {0};
	off_t n;

	fresh_path();
	CU_ASSERT_EQUAL_FATAL(gv_record_bus(new_toy(), path, 0, NULL, &bus, NULL), 0);
	for (unsigned i = 0; i < 5000; i++)
		gv_wr32(bus, 16, i);
	n = file_bytes(); /* blocks that are there without an end */
	(void)gv_bus_close(bus);
	CU_ASSERT_TRUE(n > 100000);
	CU_ASSERT_EQUAL(truncate(path, n - 10), 0);
	plus = 1;
	CU_ASSERT_EQUAL(gv_record_play(&(struct gv_play_function){.path = path, .open = open_toy},
	                               1, NULL, NULL, &err),
	                -EBADMSG);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "as recorded up to block"));
	(void)unlink(path);
}

static void a_file_has_its_limit(void)
{
	struct gv_bus *bus = NULL;

	fresh_path();
	logged[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(gv_record_bus(new_toy(), path, GV_MIB, &log_here, &bus, NULL), 0);
	for (unsigned i = 0; i < 50000; i++)
		gv_wr32(bus, 16, i);
	CU_ASSERT_EQUAL(gv_rd32(bus, 16), 49999); /* the driver goes on */
	(void)gv_bus_close(bus);
	CU_ASSERT_PTR_NOT_NULL(strstr(logged, "continuing without one"));
	CU_ASSERT_TRUE(file_bytes() <= (off_t)GV_MIB);
	plus = 1;
	CU_ASSERT_EQUAL(gv_record_play(&(struct gv_play_function){.path = path, .open = open_toy},
	                               1, NULL, NULL, NULL),
	                0);
	(void)unlink(path);
}

static void what_is_no_record_is_refused(void)
{
	uint8_t junk[4096] = {0};
	struct gv_record_file *f = NULL;
	struct gv_err err = {0};

	CU_ASSERT_EQUAL(gv_record_open_mem(junk, 0, &f, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_record_open_mem(junk, sizeof(junk), &f, &err), -EINVAL);
	memcpy(junk, "gvrb\2\0\0\0", 8);
	CU_ASSERT_EQUAL(gv_record_open_mem(junk, sizeof(junk), &f, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "version 2, this program reads version 1"));
	CU_ASSERT_PTR_NULL(f);
	CU_ASSERT_EQUAL(gv_crc32(0, "123456789", 9), 0xcbf43926u); /* the check value of its kind */
}

UT_MAIN("record", UT(a_driver_sees_the_same_again),
        UT(a_driver_that_does_something_else_is_told_where),
        UT(a_record_that_ends_early_is_a_lost_device), UT(notes_come_back_where_they_were_made),
        UT(a_device_that_is_the_same_is_said_to_be), UT(the_first_answer_that_differs_is_named),
        UT(a_byte_that_was_changed_is_found_wherever_it_is),
        UT(what_was_written_before_a_crash_can_be_played), UT(a_file_has_its_limit),
        UT(what_is_no_record_is_refused))
