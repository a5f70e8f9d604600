/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A record file: read, printed, and played on a device that does nothing. CRCs are made right
 * first, so that what is in the blocks is reached. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <gv/record.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint32_t read32(struct gv_bus *bus, uint32_t byte)
{
	(void)bus;
	return byte;
}

static void write32(struct gv_bus *bus, uint32_t byte, uint32_t val)
{
	(void)bus;
	(void)byte;
	(void)val;
}

static void doorbell64(struct gv_bus *bus, uint32_t byte, uint64_t val)
{
	(void)bus;
	(void)byte;
	(void)val;
}

static int rd(struct gv_bus *bus, enum gv_region region, uint64_t off, void *buf, size_t n)
{
	(void)bus;
	(void)region;
	(void)off;
	memset(buf, 0, n);
	return 0;
}

static int wr(struct gv_bus *bus, enum gv_region region, uint64_t off, const void *buf, size_t n)
{
	(void)bus;
	(void)region;
	(void)off;
	return n && !buf ? -EINVAL : 0;
}

static int region_bytes(struct gv_bus *bus, enum gv_region region, uint64_t *bytes)
{
	(void)bus;
	(void)region;
	*bytes = 4096;
	return 0;
}

static int alloc(struct gv_bus *bus, uint64_t bytes, struct gv_dma *dma)
{
	(void)bus;
	if (bytes > 65536)
		return -ENOMEM;
	*dma = (struct gv_dma){.cpu = calloc(1, bytes), .iova = 0x10000, .bytes = bytes};
	return dma->cpu ? 0 : -ENOMEM;
}

static void dma_free(struct gv_bus *bus, struct gv_dma *dma)
{
	(void)bus;
	free(dma->cpu);
}

static int irq(struct gv_bus *bus, unsigned vector, int *fd)
{
	(void)bus;
	*fd = -1;
	return vector < 4 ? 0 : -EINVAL;
}

static int nothing(struct gv_bus *bus)
{
	(void)bus;
	return 0;
}

static void bus_close(struct gv_bus *bus)
{
	(void)bus;
}

static const struct gv_bus_ops ops = {.read32 = read32,
                                      .write32 = write32,
                                      .doorbell64 = doorbell64,
                                      .read = rd,
                                      .write = wr,
                                      .region_bytes = region_bytes,
                                      .dma_alloc = alloc,
                                      .dma_free = dma_free,
                                      .irq_enable = irq,
                                      .reset = nothing,
                                      .status = nothing,
                                      .close = bus_close};

static int open_null(void *arg, struct gv_bus **bus, struct gv_err *err)
{
	static struct gv_bus null = {.ops = &ops, .name = "null"};

	(void)arg;
	(void)err;
	*bus = &null;
	return 0;
}

/* magic, version, bytes, CRC, number: 24 bytes before what the CRC is about */
static void mend(uint8_t *data, size_t size)
{
	for (uint64_t seq = 0; size >= 24; seq++) {
		uint32_t bytes, crc;

		memcpy(&bytes, data + 8, 4);
		bytes = (uint32_t)GV_MIN((size_t)bytes, size - 24);
		crc = gv_crc32(0, data + 24, bytes);
		memcpy(data + 12, &crc, 4);
		memcpy(data + 16, &seq, 8);
		data += 24 + bytes;
		size -= 24 + bytes;
	}
}

static void print_all(const uint8_t *data, size_t size)
{
	struct gv_record_file *f = NULL;
	struct gv_record r;
	const void *at;
	uint64_t number;
	char text[100];

	if (gv_record_open_mem(data, size, &f, NULL))
		return;
	while (!gv_record_next(f, &r, &at, &number, NULL))
		gv_record_text(&r, at, NULL, text, sizeof(text));
	(void)gv_record_close(f);
}

static void play(const uint8_t *data, size_t size)
{
	const struct gv_play_rules rules = {.late_ns = 1};
	struct gv_play_function f = {.open = open_null};
	char path[32];
	int fd = memfd_create("record", MFD_CLOEXEC);

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	f.path = path;
	if (fd >= 0 && write(fd, data, size) == (ssize_t)size)
		(void)gv_record_play(&f, 1, &rules, NULL, NULL);
	(void)close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy = calloc(1, size + 1);

	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	print_all(copy, size); /* as it came: mostly refused */
	mend(copy, size);
	print_all(copy, size);
	play(copy, size);
	free(copy);
	return 0;
}
