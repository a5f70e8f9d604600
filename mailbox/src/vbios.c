/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The smallest ATOMFIRMWARE image with which amdgpu starts on a VF. Offsets
 * before the ROM header are fixed by AMD; the places after it are our choice
 * and are found through the header's pointers.
 *
 *   0x000 55 AA, size    0x030 ATI magic   0x048 -> ROM header   0x050 date   0x080 part number
 *   ROM header:  table header, "ATOM", ... -> master command table, -> master data table
 *   master data: [4] firmwareinfo  [8] smu_info  [11] vram_usagebyfirmware  [23] indirect-io
 */
#include <string.h>

#include <gv/mailbox_pages.h>

struct table_header {
	uint16_t bytes;
	uint8_t format, content;
} __attribute__((packed));

struct rom_header {
	struct table_header header;
	char signature[4];
	uint8_t not_used[22];
	uint16_t master_command, master_data;
} __attribute__((packed));

_Static_assert(offsetof(struct rom_header, master_command) == 0x1e, "ROM header");
_Static_assert(offsetof(struct rom_header, master_data) == 0x20, "ROM header");

#define COMMAND_TABLES 80
#define DATA_TABLES    35

enum { FIRMWAREINFO = 4, SMU_INFO = 8, VRAM_USAGE = 11, INDIRECT_IO = 23 };

struct master_command {
	struct table_header header;
	uint16_t at[COMMAND_TABLES];
} __attribute__((packed));

struct master_data {
	struct table_header header;
	uint16_t at[DATA_TABLES];
} __attribute__((packed));

struct firmwareinfo { /* 3.1 */
	struct table_header header;
	uint32_t firmware_revision;
	uint32_t bootup_sclk_in10khz, bootup_mclk_in10khz;
	uint32_t firmware_capability;
	uint32_t main_call_parser_entry;
	uint32_t bios_scratch_reg_startaddr;
	uint8_t not_used[52];
} __attribute__((packed));

_Static_assert(offsetof(struct firmwareinfo, bios_scratch_reg_startaddr) == 24, "firmwareinfo");
_Static_assert(sizeof(struct firmwareinfo) == 80, "firmwareinfo");

#define CAP_GPU_VIRTUALIZATION (1u << 1)
#define SCRATCH_REG_START      0x4cu /* dword index of BIOS_SCRATCH_0 on Vega10 */

struct smu_info { /* 3.1, up to what a driver of a VF reads */
	struct table_header header;
	uint8_t not_used[12];
	uint32_t core_refclk_10khz;
	uint8_t rest[20];
} __attribute__((packed));

_Static_assert(offsetof(struct smu_info, core_refclk_10khz) == 16, "smu_info");

struct vram_usage { /* 2.1 */
	struct table_header header;
	uint32_t start_address_in_kb;
	uint16_t used_by_firmware_in_kb, used_by_driver_in_kb;
} __attribute__((packed));

_Static_assert(sizeof(struct vram_usage) == 12, "vram_usagebyfirmware");

/* Top two bits of start_address_in_kb: 2 = shared message area of SR-IOV. */
#define SRIOV_MSG_SHARE (2u << 30)
#define START_KB_MASK   0x3fffffffu

struct indirect_io {
	struct table_header header;
	uint8_t first; /* 1 would start a list */
	uint8_t not_used[3];
} __attribute__((packed));

enum {
	AT_SIZE = 0x02,
	AT_MAGIC = 0x30,
	AT_ROM_HEADER_POINTER = 0x48,
	AT_DATE = 0x50,
	AT_PART_NUMBER = 0x80,
	AT_ROM_HEADER = 0x200,
	AT_MASTER_COMMAND = 0x280,
	AT_MASTER_DATA = 0x340,
	AT_FIRMWAREINFO = 0x3a0,
	AT_SMU_INFO = 0x400,
	AT_VRAM_USAGE = 0x440,
	AT_INDIRECT_IO = 0x460,
};

_Static_assert(AT_MASTER_COMMAND + sizeof(struct master_command) <= AT_MASTER_DATA, "overlap");
_Static_assert(AT_MASTER_DATA + sizeof(struct master_data) <= AT_FIRMWAREINFO, "overlap");
_Static_assert(AT_FIRMWAREINFO + sizeof(struct firmwareinfo) <= AT_SMU_INFO, "overlap");
_Static_assert(AT_SMU_INFO + sizeof(struct smu_info) <= AT_VRAM_USAGE, "overlap");

static const char ati_magic[10] = " 761295520";

static void put16(uint8_t *image, size_t at, uint16_t v)
{
	memcpy(image + at, &v, sizeof(v));
}

static void put_tables(const struct gv_mbox_vbios *v, uint8_t *image)
{
	struct rom_header rom = {.header = {36, 2, 2},
	                         .signature = {'A', 'T', 'O', 'M'},
	                         .master_command = AT_MASTER_COMMAND,
	                         .master_data = AT_MASTER_DATA};
	struct master_command commands = {.header = {sizeof(commands), 2, 1}};
	struct master_data data = {.header = {sizeof(data), 2, 1}};
	struct firmwareinfo fw = {.header = {sizeof(fw), 3, 1},
	                          .firmware_revision = 1u << 24,
	                          .bootup_sclk_in10khz = v->sclk_10khz,
	                          .bootup_mclk_in10khz = v->mclk_10khz,
	                          .firmware_capability = CAP_GPU_VIRTUALIZATION,
	                          .bios_scratch_reg_startaddr = SCRATCH_REG_START};
	struct smu_info smu = {.header = {sizeof(smu), 3, 1}, .core_refclk_10khz = v->refclk_10khz};
	struct vram_usage usage = {.header = {sizeof(usage), 2, 1},
	                           .start_address_in_kb =
	                                   SRIOV_MSG_SHARE | (uint32_t)(v->region_off >> 10),
	                           .used_by_firmware_in_kb = (uint16_t)(v->region_bytes >> 10)};
	struct indirect_io iio = {.header = {sizeof(iio), 1, 1}};

	data.at[FIRMWAREINFO] = AT_FIRMWAREINFO;
	data.at[SMU_INFO] = AT_SMU_INFO;
	data.at[VRAM_USAGE] = AT_VRAM_USAGE;
	data.at[INDIRECT_IO] = AT_INDIRECT_IO;
	memcpy(image + AT_ROM_HEADER, &rom, sizeof(rom));
	memcpy(image + AT_MASTER_COMMAND, &commands, sizeof(commands));
	memcpy(image + AT_MASTER_DATA, &data, sizeof(data));
	memcpy(image + AT_FIRMWAREINFO, &fw, sizeof(fw));
	memcpy(image + AT_SMU_INFO, &smu, sizeof(smu));
	memcpy(image + AT_VRAM_USAGE, &usage, sizeof(usage));
	memcpy(image + AT_INDIRECT_IO, &iio, sizeof(iio));
}

/* Empty becomes @otherwise; what is not a printable ASCII string is refused. */
static int take_name(const char *from, size_t room, const char *otherwise, char *to)
{
	size_t n = strnlen(from, room);

	if (n == room)
		return -EINVAL;
	for (size_t i = 0; i < n; i++)
		if (from[i] < ' ' || from[i] > '~')
			return -EINVAL;
	memset(to, 0, room);
	if (!n) {
		from = otherwise;
		n = strlen(otherwise);
	}
	memcpy(to, from, n);
	return 0;
}

static int fill_in(const struct gv_mbox_vbios *from, struct gv_mbox_vbios *v, struct gv_err *err)
{
	static const struct gv_mbox_vbios none;
	int rc;

	*v = from ? *from : none;
	/* An empty part number makes the driver follow a bad pointer: there is always one. */
	rc = take_name((from ? from : &none)->part_number, sizeof(v->part_number),
	               "113-GPUVISOR-000", v->part_number);
	if (!rc)
		rc = take_name((from ? from : &none)->build_date, sizeof(v->build_date),
		               "01/01/26 00:00", v->build_date);
	if (rc)
		return gv_fail(err, rc, "vbios: a name is not short printable ASCII");
	v->sclk_10khz = v->sclk_10khz ? v->sclk_10khz : 85200;
	v->mclk_10khz = v->mclk_10khz ? v->mclk_10khz : 16700;
	v->refclk_10khz = v->refclk_10khz ? v->refclk_10khz : 2700;
	v->region_bytes = v->region_bytes ? v->region_bytes : GV_MBOX_REGION_BYTES;
	if (v->region_off % GV_KIB || v->region_bytes % GV_KIB ||
	    v->region_off >> 10 > START_KB_MASK || v->region_bytes >> 10 > UINT16_MAX)
		return gv_fail(err, -ERANGE,
		               "vbios: exchange region 0x%llx + 0x%x asked, whole KiB that fit in "
		               "30 and 16 bits are possible",
		               (unsigned long long)v->region_off, v->region_bytes);
	return 0;
}

int gv_mbox_vbios_build(const struct gv_mbox_vbios *vbios, uint8_t image[GV_MBOX_VBIOS_BYTES],
                        struct gv_err *err)
{
	struct gv_mbox_vbios v;
	int rc = fill_in(vbios, &v, err);

	if (rc)
		return rc;
	memset(image, 0, GV_MBOX_VBIOS_BYTES);
	put16(image, 0, 0xaa55);
	image[AT_SIZE] = GV_MBOX_VBIOS_BYTES / 512;
	memcpy(image + AT_MAGIC, ati_magic, sizeof(ati_magic));
	put16(image, AT_ROM_HEADER_POINTER, AT_ROM_HEADER);
	memcpy(image + AT_DATE, v.build_date, sizeof(v.build_date));
	memcpy(image + AT_PART_NUMBER, v.part_number, sizeof(v.part_number));
	put_tables(&v, image);
	return 0;
}

/* ---- the reading side ------------------------------------------------------ */
struct reader {
	const uint8_t *image;
	size_t bytes;
	struct gv_err *err;
};

/* Copy @n bytes at @at out, or say that @what lies outside the image. */
static int get(const struct reader *r, size_t at, void *to, size_t n, const char *what)
{
	if (n > r->bytes || at > r->bytes - n)
		return gv_fail(r->err, -EBADMSG, "vbios: %s at 0x%zx is outside the image (0x%zx)",
		               what, at, r->bytes);
	memcpy(to, r->image + at, n);
	return 0;
}

static int get_start(const struct reader *r, struct rom_header *rom)
{
	char magic[sizeof(ati_magic)] = "";
	uint16_t start = 0, at = 0;
	int rc = get(r, 0, &start, sizeof(start), "55 AA");

	if (!rc && start != 0xaa55)
		return gv_fail(r->err, -EBADMSG, "vbios: starts with 0x%04x, 0xaa55 expected",
		               start);
	if (!rc)
		rc = get(r, AT_MAGIC, magic, sizeof(magic), "ATI magic");
	if (!rc && memcmp(magic, ati_magic, sizeof(magic)))
		return gv_fail(r->err, -EBADMSG, "vbios: no ATI magic");
	if (!rc)
		rc = get(r, AT_ROM_HEADER_POINTER, &at, sizeof(at), "ROM header pointer");
	if (!rc)
		rc = get(r, at, rom, sizeof(*rom), "ROM header");
	if (!rc && memcmp(rom->signature, "ATOM", 4))
		return gv_fail(r->err, -EBADMSG, "vbios: no ATOM signature at 0x%x", at + 4u);
	return rc;
}

/* Data table @index: 0 found, -ENOENT the list has none. */
static int get_table(const struct reader *r, const struct rom_header *rom, unsigned index, void *to,
                     size_t n, const char *what)
{
	struct table_header list;
	uint16_t at = 0;
	int rc = get(r, rom->master_data, &list, sizeof(list), "master data table");

	if (rc)
		return rc;
	if (list.bytes < sizeof(list) + 2 * (index + 1))
		return gv_fail(r->err, -ENOENT, "vbios: the data table list ends before %s", what);
	rc = get(r, rom->master_data + sizeof(list) + 2 * index, &at, sizeof(at), what);
	if (rc)
		return rc;
	if (!at)
		return gv_fail(r->err, -ENOENT, "vbios: no table %s", what);
	return get(r, at, to, n, what);
}

static int get_region(const struct reader *r, const struct rom_header *rom, struct gv_mbox_vbios *v)
{
	struct vram_usage usage;
	int rc = get_table(r, rom, VRAM_USAGE, &usage, sizeof(usage), "vram_usagebyfirmware");

	if (rc)
		return rc;
	if (usage.header.format != 2 || usage.header.content != 1)
		return gv_fail(r->err, -ENOENT,
		               "vbios: vram_usagebyfirmware is %u.%u, 2.1 expected",
		               usage.header.format, usage.header.content);
	if ((usage.start_address_in_kb & ~START_KB_MASK) != SRIOV_MSG_SHARE)
		return gv_fail(r->err, -ENOENT, "vbios: vram_usagebyfirmware is not for SR-IOV");
	if ((uint32_t)usage.used_by_firmware_in_kb << 10 < GV_MBOX_VF2PF_OFF + GV_MBOX_PAGE_BYTES)
		return gv_fail(r->err, -ENOENT, "vbios: exchange region of %u KiB is too small",
		               usage.used_by_firmware_in_kb);
	v->region_off = (uint64_t)(usage.start_address_in_kb & START_KB_MASK) << 10;
	v->region_bytes = (uint32_t)usage.used_by_firmware_in_kb << 10;
	return 0;
}

static void get_text(const struct reader *r, size_t at, char *to, size_t room)
{
	memset(to, 0, room);
	for (size_t i = 0; i < room - 1 && at + i < r->bytes; i++) {
		uint8_t c = r->image[at + i];

		if (c < ' ' || c > '~')
			return;
		to[i] = (char)c;
	}
}

int gv_mbox_vbios_check(const uint8_t *image, size_t bytes, struct gv_mbox_vbios *vbios,
                        struct gv_err *err)
{
	struct reader r = {image, bytes, err}, optional = {image, bytes, NULL};
	struct gv_mbox_vbios v = {.region_off = 0};
	struct firmwareinfo fw;
	struct smu_info smu;
	struct rom_header rom;
	int rc = get_start(&r, &rom);

	if (!rc)
		rc = get_region(&r, &rom, &v);
	if (rc)
		return rc;
	if (!get_table(&optional, &rom, FIRMWAREINFO, &fw, sizeof(fw), "firmwareinfo")) {
		v.sclk_10khz = fw.bootup_sclk_in10khz;
		v.mclk_10khz = fw.bootup_mclk_in10khz;
	}
	if (!get_table(&optional, &rom, SMU_INFO, &smu, sizeof(smu), "smu_info"))
		v.refclk_10khz = smu.core_refclk_10khz;
	get_text(&r, AT_PART_NUMBER, v.part_number, sizeof(v.part_number));
	get_text(&r, AT_DATE, v.build_date, sizeof(v.build_date));
	*vbios = v;
	return 0;
}
