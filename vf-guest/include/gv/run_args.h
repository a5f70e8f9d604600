/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Kernel arguments as people write them: "buf:FILE", "u32:7", ... parsed, and
 * placed where the kernel's metadata wants them. Pure; files are not opened.
 */
#ifndef GV_RUN_ARGS_H
#define GV_RUN_ARGS_H

#include <gv/code_object.h>

enum gv_run_kind {
	GV_RUN_BUF,   /* buf:FILE           memory with the file's contents */
	GV_RUN_INOUT, /* inout:FILE:OUTFILE the same, written to OUTFILE afterwards */
	GV_RUN_OUT,   /* out:BYTES:FILE     zeroed memory, written to FILE afterwards */
	GV_RUN_VALUE, /* u32:N i32:N u64:N i64:N u16:N i16:N u8:N i8:N f32:X f64:X */
	GV_RUN_LDS,   /* lds:BYTES          LDS beyond what the kernel declares */
};

struct gv_run_arg {
	enum gv_run_kind kind;
	char spec[16]; /* "buf", "u32": how it was written */
	char in[4096], out[4096];
	uint64_t bytes;      /* OUT, LDS; VALUE: 1, 2, 4 or 8 */
	uint8_t value[8];    /* VALUE */
	bool is_float;       /* VALUE */
	bool placed;         /* LDS may go without a place */
	uint32_t offset;     /* in the kernel's arguments, by gv_run_args_place() */
	uint32_t lds_offset; /* LDS: what is passed */
};

/** A number of bytes, "123", "0x7b", "64M" (K, M, G: powers of 1024): the whole of [text, text +
 * n), which is part of a string. -EINVAL: anything else, or over 64 bits. */
int gv_run_bytes_parse(const char *text, size_t n, uint64_t *bytes);

/** Parse one SPEC. -EINVAL; the text names the SPEC. */
int gv_run_arg_parse(const char *spec, struct gv_run_arg *arg, struct gv_err *err);

/**
 * Match @args with what the kernel takes, in order: kinds, sizes and, where the object names
 * them, types. Hidden arguments take nothing. Sets offset of each; *@dynamic_lds gets the
 * dynamic LDS in all. A kernel without argument metadata takes them packed by natural alignment.
 * -EINVAL with a text that names the argument and what would fit.
 */
int gv_run_args_place(const struct gv_co_kernel *kernel, struct gv_run_arg *args, unsigned count,
                      uint32_t *dynamic_lds, struct gv_err *err);

#endif
