/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <gv/gfx9.h>
#include <gv/run_args.h>

/* ---- parsing ---------------------------------------------------------------------- */

struct type {
	const char *name;
	unsigned bytes;
	bool is_signed, is_float;
};

static const struct type types[] = {
        {"u8", 1, false, false},  {"i8", 1, true, false},   {"u16", 2, false, false},
        {"i16", 2, true, false},  {"u32", 4, false, false}, {"i32", 4, true, false},
        {"u64", 8, false, false}, {"i64", 8, true, false},  {"f32", 4, true, true},
        {"f64", 8, true, true},
};

static int copy_path(char to[4096], const char *from, size_t n, const char *spec,
                     struct gv_err *err)
{
	if (!n)
		return gv_fail(err, -EINVAL, "'%s': the file name is missing", spec);
	if (n >= 4096)
		return gv_fail(err, -EINVAL, "the file name is too long");
	memcpy(to, from, n);
	to[n] = 0;
	return 0;
}

int gv_run_bytes_parse(const char *text, size_t n, uint64_t *bytes)
{
	char buf[32], *end = NULL;
	unsigned shift = 0;
	uint64_t v;

	if (!n || n >= sizeof(buf) || text[0] < '0' || text[0] > '9')
		return -EINVAL;
	memcpy(buf, text, n);
	buf[n] = 0;
	errno = 0;
	v = strtoull(buf, &end, 0);
	if (*end == 'K' || *end == 'M' || *end == 'G')
		shift = *end == 'K' ? 10 : *end == 'M' ? 20 : 30;
	if (shift)
		end++;
	if (errno || *end || v > UINT64_MAX >> shift)
		return -EINVAL;
	*bytes = v << shift;
	return 0;
}

static int parse_float(const struct type *t, const char *text, struct gv_run_arg *arg)
{
	char *end = NULL;
	double d = strtod(text, &end);
	float f = strtof(text, NULL);

	if (end == text || *end)
		return -EINVAL;
	if (t->bytes == 4)
		memcpy(arg->value, &f, sizeof(f));
	else
		memcpy(arg->value, &d, sizeof(d));
	return t->bytes == 4 && isinf(f) && !isinf(d) ? -ERANGE : 0;
}

static int parse_int(const struct type *t, const char *text, struct gv_run_arg *arg)
{
	bool negative = text[0] == '-';
	const char *digits = text + negative;
	unsigned value_bits = t->bytes * 8 - t->is_signed;
	char *end = NULL;
	uint64_t v, max;

	if (digits[0] < '0' || digits[0] > '9')
		return -EINVAL;
	errno = 0;
	v = strtoull(digits, &end, 0);
	if (*end)
		return -EINVAL;
	max = value_bits == 64 ? UINT64_MAX : (1ull << value_bits) - 1;
	if (errno || (negative && !t->is_signed && v) || v > max + (negative && t->is_signed))
		return -ERANGE;
	v = negative ? 0 - v : v;
	memcpy(arg->value, &v, t->bytes); /* little-endian, as the GPU is */
	return 0;
}

static int parse_value(const struct type *t, const char *spec, const char *text,
                       struct gv_run_arg *arg, struct gv_err *err)
{
	int rc;

	arg->kind = GV_RUN_VALUE;
	arg->bytes = t->bytes;
	arg->is_float = t->is_float;
	rc = t->is_float ? parse_float(t, text, arg) : parse_int(t, text, arg);
	if (rc == -ERANGE)
		return gv_fail(err, -EINVAL, "'%s': the number does not fit %s", spec, t->name);
	return rc ? gv_fail(err, -EINVAL, "'%s': not a number", spec) : 0;
}

static int parse_inout(const char *spec, const char *text, struct gv_run_arg *arg,
                       struct gv_err *err)
{
	const char *colon = strchr(text, ':');
	int rc;

	arg->kind = GV_RUN_INOUT;
	if (!colon)
		return gv_fail(err, -EINVAL, "'%s': inout:FILE:OUTFILE is meant", spec);
	rc = copy_path(arg->in, text, (size_t)(colon - text), spec, err);
	return rc ? rc : copy_path(arg->out, colon + 1, strlen(colon + 1), spec, err);
}

static int parse_out(const char *spec, const char *text, struct gv_run_arg *arg, struct gv_err *err)
{
	const char *colon = strchr(text, ':');

	arg->kind = GV_RUN_OUT;
	if (!colon || gv_run_bytes_parse(text, (size_t)(colon - text), &arg->bytes))
		return gv_fail(err, -EINVAL, "'%s': out:BYTES:FILE is meant", spec);
	if (!arg->bytes)
		return gv_fail(err, -EINVAL, "'%s': a buffer of 0 bytes is not possible", spec);
	return copy_path(arg->out, colon + 1, strlen(colon + 1), spec, err);
}

static int parse_lds(const char *spec, const char *text, struct gv_run_arg *arg, struct gv_err *err)
{
	arg->kind = GV_RUN_LDS;
	if (gv_run_bytes_parse(text, strlen(text), &arg->bytes) || !arg->bytes ||
	    arg->bytes > GV9_LDS_BYTES)
		return gv_fail(err, -EINVAL, "'%s': lds:BYTES is meant, 1..%u", spec,
		               GV9_LDS_BYTES);
	return 0;
}

int gv_run_arg_parse(const char *spec, struct gv_run_arg *out, struct gv_err *err)
{
	const char *colon = strchr(spec, ':');
	size_t n = colon ? (size_t)(colon - spec) : 0;
	struct gv_run_arg arg = {0};
	int rc = -ENOENT;

	if (!colon || !n || n >= sizeof(arg.spec))
		return gv_fail(err, -EINVAL,
		               "'%s': an argument is KIND:..., such as buf:FILE or u32:7", spec);
	memcpy(arg.spec, spec, n);
	if (!strcmp(arg.spec, "buf"))
		rc = copy_path(arg.in, colon + 1, strlen(colon + 1), spec, err);
	else if (!strcmp(arg.spec, "inout"))
		rc = parse_inout(spec, colon + 1, &arg, err);
	else if (!strcmp(arg.spec, "out"))
		rc = parse_out(spec, colon + 1, &arg, err);
	else if (!strcmp(arg.spec, "lds"))
		rc = parse_lds(spec, colon + 1, &arg, err);
	for (size_t i = 0; rc == -ENOENT && i < GV_ARRAY_LEN(types); i++) {
		if (!strcmp(arg.spec, types[i].name))
			rc = parse_value(&types[i], spec, colon + 1, &arg, err);
	}
	if (rc == -ENOENT)
		return gv_fail(
		        err, -EINVAL,
		        "'%s': unknown kind; buf inout out lds u8 i8 u16 i16 u32 i32 u64 i64 "
		        "f32 f64 are known",
		        spec);
	if (!rc)
		*out = arg;
	return rc;
}

/* ---- placing ------------------------------------------------------------------------ */

static bool is_buffer(const struct gv_run_arg *arg)
{
	return arg->kind == GV_RUN_BUF || arg->kind == GV_RUN_INOUT || arg->kind == GV_RUN_OUT;
}

static bool is_integer(const char *type)
{
	static const char *const ints[] = {"char", "uchar", "short", "ushort", "int",
	                                   "uint", "long",  "ulong", "size_t"};

	for (size_t i = 0; i < GV_ARRAY_LEN(ints); i++)
		if (!strcmp(type, ints[i]))
			return true;
	return false;
}

/* What type names of OpenCL say; names of no known type only have a size. */
static bool type_agrees(const char *type, bool is_float)
{
	if (!strcmp(type, "float") || !strcmp(type, "double"))
		return is_float;
	return !is_float || !is_integer(type);
}

static const char *what_fits(const struct gv_co_arg *want)
{
	if (want->kind == GV_CO_ARG_GLOBAL_BUFFER)
		return "buf:, inout: or out:";
	if (want->kind == GV_CO_ARG_DYNAMIC_LDS)
		return "lds:";
	if (!strcmp(want->type, "float"))
		return "f32:";
	if (!strcmp(want->type, "double"))
		return "f64:";
	switch (want->bytes) {
	case 1:
		return "u8: or i8:";
	case 2:
		return "u16: or i16:";
	case 4:
		return is_integer(want->type) ? "u32: or i32:" : "u32:, i32: or f32:";
	case 8:
		return is_integer(want->type) ? "u64: or i64:" : "u64:, i64: or f64:";
	default:
		return "nothing that we have";
	}
}

/* "argument 3 'n'": counted from 1, named where the object says a name. */
static const char *which(const struct gv_co_arg *want, unsigned n, char *text, size_t room)
{
	if (want->name[0])
		(void)snprintf(text, room, "argument %u '%s'", n + 1, want->name);
	else
		(void)snprintf(text, room, "argument %u", n + 1);
	return text;
}

static int check_one(const struct gv_co_arg *want, unsigned n, const struct gv_run_arg *arg,
                     struct gv_err *err)
{
	char place[128];
	bool ok = false;

	switch (want->kind) {
	case GV_CO_ARG_GLOBAL_BUFFER:
		ok = is_buffer(arg);
		break;
	case GV_CO_ARG_DYNAMIC_LDS:
		ok = arg->kind == GV_RUN_LDS;
		break;
	case GV_CO_ARG_BY_VALUE:
		ok = arg->kind == GV_RUN_VALUE && arg->bytes == want->bytes &&
		     type_agrees(want->type, arg->is_float);
		break;
	default:
		return gv_fail(err, -EINVAL, "%s is a %s, which is not supported",
		               which(want, n, place, sizeof(place)), want->value_kind);
	}
	if (!ok)
		return gv_fail(err, -EINVAL, "%s (%s%s%u bytes) takes %s, not %s:",
		               which(want, n, place, sizeof(place)), want->type,
		               want->type[0] ? ", " : "", want->bytes, what_fits(want), arg->spec);
	return 0;
}

static int count_error(const struct gv_co_kernel *k, unsigned want, const struct gv_run_arg *args,
                       unsigned count, struct gv_err *err)
{
	unsigned have = 0;

	for (unsigned i = 0; i < count; i++)
		have += args[i].kind != GV_RUN_LDS || args[i].placed;
	return gv_fail(err, -EINVAL, "kernel '%s' takes %u arguments, %u given", k->name, want,
	               have);
}

/* An LDS pointer starts behind the static LDS and the dynamic LDS before it. */
static int place_lds(const struct gv_co_kernel *k, const struct gv_co_arg *want,
                     struct gv_run_arg *arg, uint32_t *lds, struct gv_err *err)
{
	uint64_t align = want && want->pointee_align ? want->pointee_align : 16;
	uint64_t at = ((uint64_t)k->lds_bytes + *lds + align - 1) & ~(align - 1);

	if (at + arg->bytes > GV9_LDS_BYTES)
		return gv_fail(
		        err, -EINVAL, "LDS: %u static and %llu dynamic bytes, a group has %u",
		        k->lds_bytes, (unsigned long long)(*lds + arg->bytes), GV9_LDS_BYTES);
	arg->lds_offset = (uint32_t)at;
	*lds = (uint32_t)(at + arg->bytes) - k->lds_bytes;
	return 0;
}

static int place_packed(const struct gv_co_kernel *k, struct gv_run_arg *args, unsigned count,
                        uint32_t *lds, struct gv_err *err)
{
	uint64_t at = 0;

	for (unsigned i = 0; i < count; i++) {
		uint64_t bytes = is_buffer(&args[i]) ? 8 : args[i].bytes;

		if (args[i].kind == GV_RUN_LDS) {
			int rc = place_lds(k, NULL, &args[i], lds, err);

			if (rc)
				return rc;
			continue;
		}
		at = (at + bytes - 1) & ~(bytes - 1);
		if (at + bytes > k->kernarg_bytes)
			return gv_fail(err, -EINVAL,
			               "the arguments need %llu bytes, kernel '%s' has %u",
			               (unsigned long long)(at + bytes), k->name, k->kernarg_bytes);
		args[i].offset = (uint32_t)at;
		args[i].placed = true;
		at += bytes;
	}
	return 0;
}

int gv_run_args_place(const struct gv_co_kernel *k, struct gv_run_arg *args, unsigned count,
                      uint32_t *dynamic_lds, struct gv_err *err)
{
	unsigned next = 0, visible = 0;
	uint32_t lds = 0;
	int rc = 0;

	*dynamic_lds = 0;
	if (!k->has_args) {
		rc = place_packed(k, args, count, dynamic_lds, err);
		return rc;
	}
	for (unsigned i = 0; i < k->num_args; i++)
		visible += k->arg[i].kind != GV_CO_ARG_HIDDEN;
	for (unsigned i = 0, n = 0; i < k->num_args && !rc; i++) {
		const struct gv_co_arg *want = &k->arg[i];

		if (want->kind == GV_CO_ARG_HIDDEN)
			continue;
		/* LDS that no argument takes only adds to the group's */
		while (next < count && args[next].kind == GV_RUN_LDS &&
		       want->kind != GV_CO_ARG_DYNAMIC_LDS && !rc)
			rc = place_lds(k, NULL, &args[next++], &lds, err);
		if (rc)
			return rc;
		if (next == count)
			return count_error(k, visible, args, count, err);
		rc = check_one(want, n++, &args[next], err);
		if (!rc && want->kind == GV_CO_ARG_DYNAMIC_LDS)
			rc = place_lds(k, want, &args[next], &lds, err);
		args[next].offset = want->offset;
		args[next++].placed = true;
	}
	for (; !rc && next < count; next++) {
		if (args[next].kind != GV_RUN_LDS) {
			args[next].placed = true;
			return count_error(k, visible, args, count, err);
		}
		rc = place_lds(k, NULL, &args[next], &lds, err);
	}
	*dynamic_lds = lds;
	return rc;
}
