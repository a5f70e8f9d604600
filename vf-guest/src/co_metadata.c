/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NT_AMDGPU_METADATA of code objects v3 (amdhsa.version 1.0), v4 (1.1) and v5 (1.2): a msgpack map.
 */
#include <stdio.h>
#include <string.h>

#include <msgpack.h>

#include <gv/gfx9.h>

#include "code_object.h"

static bool is(const msgpack_object *o, const char *text)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
	       !memcmp(o->via.str.ptr, text, o->via.str.size);
}

static const msgpack_object *get(const msgpack_object *map, const char *key)
{
	for (uint32_t i = 0; i < map->via.map.size; i++) {
		if (is(&map->via.map.ptr[i].key, key))
			return &map->via.map.ptr[i].val;
	}
	return NULL;
}

/* @required or not; @out is written only when the key is there. */
static int get_u32(const msgpack_object *map, const char *key, bool required, uint32_t *out,
                   struct gv_err *err)
{
	const msgpack_object *o = get(map, key);

	if (!o)
		return required ? gv_fail(err, -EBADMSG, "%s is missing", key) : 0;
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > UINT32_MAX)
		return gv_fail(err, -EBADMSG, "%s is not a 32-bit number", key);
	*out = (uint32_t)o->via.u64;
	return 0;
}

static int get_text(const msgpack_object *map, const char *key, bool required, char *out,
                    size_t size, struct gv_err *err)
{
	const msgpack_object *o = get(map, key);

	if (!o)
		return required ? gv_fail(err, -EBADMSG, "%s is missing", key) : 0;
	if (o->type != MSGPACK_OBJECT_STR)
		return gv_fail(err, -EBADMSG, "%s is not a string", key);
	if (o->via.str.size >= size && required)
		return gv_fail(err, -EBADMSG, "%s is longer than %zu bytes", key, size - 1);
	if (memchr(o->via.str.ptr, 0, o->via.str.size))
		return gv_fail(err, -EBADMSG, "%s has a NUL in it", key);
	(void)snprintf(out, size, "%.*s", (int)GV_MIN(o->via.str.size, (uint32_t)size - 1),
	               o->via.str.ptr);
	return 0;
}

static enum gv_co_arg_kind kind_of(const char *value_kind)
{
	static const struct {
		const char *name;
		enum gv_co_arg_kind kind;
	} kinds[] = {
	        {"global_buffer", GV_CO_ARG_GLOBAL_BUFFER},
	        {"by_value", GV_CO_ARG_BY_VALUE},
	        {"dynamic_shared_pointer", GV_CO_ARG_DYNAMIC_LDS},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(kinds); i++) {
		if (!strcmp(value_kind, kinds[i].name))
			return kinds[i].kind;
	}
	return strncmp(value_kind, "hidden_", 7) ? GV_CO_ARG_UNSUPPORTED : GV_CO_ARG_HIDDEN;
}

/* "hidden_group_size_y" and its like; the others are passed as 0. */
static int read_hidden(struct gv_co_arg *arg, struct gv_err *err)
{
	static const struct {
		const char *name;
		enum gv_co_hidden hidden;
		uint8_t bytes;
		bool has_dim;
	} rows[] = {
	        {"hidden_block_count_", GV_CO_HIDDEN_BLOCK_COUNT, 4, true},
	        {"hidden_group_size_", GV_CO_HIDDEN_GROUP_SIZE, 2, true},
	        {"hidden_remainder_", GV_CO_HIDDEN_REMAINDER, 2, true},
	        {"hidden_grid_dims", GV_CO_HIDDEN_GRID_DIMS, 2, false},
	        {"hidden_private_base", GV_CO_HIDDEN_PRIVATE_BASE, 4, false},
	        {"hidden_shared_base", GV_CO_HIDDEN_SHARED_BASE, 4, false},
	};

	for (size_t i = 0; i < GV_ARRAY_LEN(rows); i++) {
		size_t n = strlen(rows[i].name);
		const char *dim = arg->value_kind + n;

		if (strncmp(arg->value_kind, rows[i].name, n))
			continue;
		if (rows[i].has_dim ? *dim < 'x' || *dim > 'z' || dim[1] : *dim)
			continue;
		if (arg->bytes != rows[i].bytes)
			return gv_fail(err, -EBADMSG, ".size is %u, a %s has %u", arg->bytes,
			               arg->value_kind, rows[i].bytes);
		arg->hidden = rows[i].hidden;
		arg->dim = rows[i].has_dim ? (uint8_t)(*dim - 'x') : 0;
	}
	return 0;
}

static int read_arg(const msgpack_object *o, struct gv_co_arg *arg, struct gv_err *err)
{
	int rc;

	if (o->type != MSGPACK_OBJECT_MAP)
		return gv_fail(err, -EBADMSG, "not a map");
	rc = get_text(o, ".value_kind", true, arg->value_kind, sizeof(arg->value_kind), err);
	if (!rc)
		rc = get_text(o, ".name", false, arg->name, sizeof(arg->name), err);
	if (!rc)
		rc = get_text(o, ".type_name", false, arg->type, sizeof(arg->type), err);
	if (!rc)
		rc = get_u32(o, ".offset", true, &arg->offset, err);
	if (!rc)
		rc = get_u32(o, ".size", true, &arg->bytes, err);
	if (!rc)
		rc = get_u32(o, ".pointee_align", false, &arg->pointee_align, err);
	if (rc)
		return rc;
	arg->kind = kind_of(arg->value_kind);
	if (arg->kind == GV_CO_ARG_HIDDEN)
		return read_hidden(arg, err);
	if (arg->kind == GV_CO_ARG_GLOBAL_BUFFER && arg->bytes != 8)
		return gv_fail(err, -EBADMSG, ".size is %u, a global_buffer has 8", arg->bytes);
	if (arg->kind == GV_CO_ARG_DYNAMIC_LDS && arg->bytes != 4)
		return gv_fail(err, -EBADMSG, ".size is %u, an LDS pointer has 4", arg->bytes);
	if (arg->pointee_align & (arg->pointee_align - 1) || arg->pointee_align > 4096)
		return gv_fail(err, -EBADMSG, ".pointee_align is %u", arg->pointee_align);
	return 0;
}

static int read_args(const msgpack_object *map, struct gv_co_kernel *k, struct gv_err *err)
{
	const msgpack_object *args = get(map, ".args");

	if (!args)
		return 0;
	if (args->type != MSGPACK_OBJECT_ARRAY)
		return gv_fail(err, -EBADMSG, ".args is not an array");
	if (args->via.array.size > GV_CO_MAX_ARGS)
		return gv_fail(err, -EOPNOTSUPP, "%u arguments, at most %u are supported",
		               args->via.array.size, GV_CO_MAX_ARGS);
	k->has_args = true;
	for (uint32_t i = 0; i < args->via.array.size; i++) {
		struct gv_co_arg *arg = &k->arg[i];

		if (read_arg(&args->via.array.ptr[i], arg, err))
			return gv_fail_prefix(err, ".args[%u]", i);
		if (arg->offset > k->kernarg_bytes || arg->bytes > k->kernarg_bytes - arg->offset)
			return gv_fail(err, -EBADMSG,
			               ".args[%u]: bytes %u..%llu are beyond the kernarg segment "
			               "of %u",
			               i, arg->offset, (unsigned long long)arg->offset + arg->bytes,
			               k->kernarg_bytes);
		k->has_hidden |= arg->hidden != GV_CO_HIDDEN_ZERO;
		k->num_args++;
	}
	return 0;
}

static int read_sizes(const msgpack_object *map, struct gv_co_kernel *k, struct gv_err *err)
{
	const msgpack_object *reqd = get(map, ".reqd_workgroup_size");
	uint32_t wave = 64;
	int rc = get_u32(map, ".wavefront_size", false, &wave, err);

	if (rc)
		return rc;
	if (wave != 64)
		return gv_fail(err, -EOPNOTSUPP, ".wavefront_size is %u, gfx900 has 64", wave);
	if (!reqd)
		return 0;
	if (reqd->type != MSGPACK_OBJECT_ARRAY || reqd->via.array.size != 3)
		return gv_fail(err, -EBADMSG, ".reqd_workgroup_size is not three numbers");
	for (unsigned i = 0; i < 3; i++) {
		const msgpack_object *o = &reqd->via.array.ptr[i];

		if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER || o->via.u64 > GV9_GROUP_ITEMS)
			return gv_fail(err, -EBADMSG, ".reqd_workgroup_size[%u] is not in 0..%u", i,
			               GV9_GROUP_ITEMS);
		k->reqd_workgroup_size[i] = (uint32_t)o->via.u64;
	}
	return 0;
}

static int read_kernel(const msgpack_object *o, struct gv_co_kernel *k, struct gv_err *err)
{
	int rc;

	if (o->type != MSGPACK_OBJECT_MAP)
		return gv_fail(err, -EBADMSG, "not a map");
	rc = get_text(o, ".name", true, k->name, sizeof(k->name), err);
	if (!rc)
		rc = get_text(o, ".symbol", true, k->symbol, sizeof(k->symbol), err);
	if (!rc)
		rc = get_u32(o, ".kernarg_segment_size", true, &k->kernarg_bytes, err);
	if (!rc)
		rc = get_u32(o, ".max_flat_workgroup_size", false, &k->max_flat_workgroup_size,
		             err);
	if (!rc)
		rc = read_sizes(o, k, err);
	return rc ? rc : read_args(o, k, err);
}

static int check_version(const msgpack_object *root, struct gv_err *err)
{
	const msgpack_object *v = get(root, "amdhsa.version");
	const msgpack_object *part;

	if (!v || v->type != MSGPACK_OBJECT_ARRAY || v->via.array.size != 2)
		return gv_fail(err, -EBADMSG, "amdhsa.version is missing or not two numbers");
	part = v->via.array.ptr;
	if (part[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER ||
	    part[1].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return gv_fail(err, -EBADMSG, "amdhsa.version is not two numbers");
	if (part[0].via.u64 != 1 || part[1].via.u64 > 2)
		return gv_fail(err, -EOPNOTSUPP,
		               "amdhsa.version %llu.%llu: 1.0 to 1.2 are supported (clang: "
		               "-mcode-object-version=3, 4 or 5)",
		               (unsigned long long)part[0].via.u64,
		               (unsigned long long)part[1].via.u64);
	return 0;
}

static int read_root(const msgpack_object *root, struct gv_co_kernel **out, unsigned *count,
                     struct gv_err *err)
{
	const msgpack_object *list;
	struct gv_co_kernel *k;
	int rc;

	if (root->type != MSGPACK_OBJECT_MAP)
		return gv_fail(err, -EBADMSG, "not a map");
	rc = check_version(root, err);
	if (rc)
		return rc;
	list = get(root, "amdhsa.kernels");
	if (!list || list->type != MSGPACK_OBJECT_ARRAY || !list->via.array.size)
		return gv_fail(err, -EBADMSG, "amdhsa.kernels is missing or empty");
	if (list->via.array.size > GV_CO_MAX_KERNELS)
		return gv_fail(err, -EOPNOTSUPP, "%u kernels, at most %u are supported",
		               list->via.array.size, GV_CO_MAX_KERNELS);
	k = calloc(list->via.array.size, sizeof(*k));
	if (!k)
		return gv_fail(err, -ENOMEM, "out of memory for %u kernels", list->via.array.size);
	for (uint32_t i = 0; i < list->via.array.size; i++) {
		if (read_kernel(&list->via.array.ptr[i], &k[i], err)) {
			rc = gv_fail_prefix(err, "amdhsa.kernels[%u]", i);
			free(k);
			return rc;
		}
	}
	*count = list->via.array.size;
	*out = k;
	return 0;
}

/* ---- before msgpack-c sees it --------------------------------------------------- */

static uint64_t big_endian(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

/* What one msgpack object needs: @head bytes of its own, then @data bytes, then @items objects. */
struct shape {
	unsigned head;
	uint64_t data, items;
};

static bool shape_of(const uint8_t *p, size_t left, struct shape *s)
{
	/* width of the length after the type byte, and what the length counts; 0xc4..0xdf */
	static const struct {
		uint8_t type, width, extra;
		char counts; /* 'd' bytes, 'a' objects, 'm' pairs, 'n' nothing: width is data */
	} rows[] = {
	        {0xc4, 1, 0, 'd'},  {0xc5, 2, 0, 'd'}, {0xc6, 4, 0, 'd'}, {0xc7, 1, 1, 'd'},
	        {0xc8, 2, 1, 'd'},  {0xc9, 4, 1, 'd'}, {0xca, 4, 0, 'n'}, {0xcb, 8, 0, 'n'},
	        {0xcc, 1, 0, 'n'},  {0xcd, 2, 0, 'n'}, {0xce, 4, 0, 'n'}, {0xcf, 8, 0, 'n'},
	        {0xd0, 1, 0, 'n'},  {0xd1, 2, 0, 'n'}, {0xd2, 4, 0, 'n'}, {0xd3, 8, 0, 'n'},
	        {0xd4, 2, 0, 'n'},  {0xd5, 3, 0, 'n'}, {0xd6, 5, 0, 'n'}, {0xd7, 9, 0, 'n'},
	        {0xd8, 17, 0, 'n'}, {0xd9, 1, 0, 'd'}, {0xda, 2, 0, 'd'}, {0xdb, 4, 0, 'd'},
	        {0xdc, 2, 0, 'a'},  {0xdd, 4, 0, 'a'}, {0xde, 2, 0, 'm'}, {0xdf, 4, 0, 'm'},
	};
	uint8_t t = p[0];
	uint64_t n;

	*s = (struct shape){.head = 1};
	if (t >= 0x80 && t <= 0x8f)
		s->items = 2ull * (t & 0x0f);
	else if (t >= 0x90 && t <= 0x9f)
		s->items = t & 0x0f;
	else if (t >= 0xa0 && t <= 0xbf)
		s->data = t & 0x1f;
	if (t < 0xc4 || t >= 0xe0)
		return t != 0xc1;
	s->head += rows[t - 0xc4].width;
	if (s->head > left)
		return false;
	if (rows[t - 0xc4].counts == 'n')
		return true;
	n = big_endian(p + 1, rows[t - 0xc4].width);
	s->data = rows[t - 0xc4].counts == 'd' ? n + rows[t - 0xc4].extra : 0;
	s->items = rows[t - 0xc4].counts == 'a' ? n : rows[t - 0xc4].counts == 'm' ? 2 * n : 0;
	return true;
}

/* msgpack-c allocates what a container announces: it must fit what is left. */
static bool announces_only_what_is_there(const uint8_t *p, size_t left)
{
	uint64_t open = 1; /* objects still to come */

	while (open) {
		struct shape s;

		if (!left || !shape_of(p, left, &s) || s.data > left - s.head)
			return false;
		p += s.head + s.data;
		left -= s.head + s.data;
		open += s.items;
		open--;
		if (open > left)
			return false;
	}
	return true;
}

int gv_co_metadata(const void *note, size_t bytes, struct gv_co_kernel **kernels, unsigned *count,
                   struct gv_err *err)
{
	struct gv_err local = {0};
	msgpack_unpacked up;
	size_t off = 0;
	int rc;

	msgpack_unpacked_init(&up);
	/* msgpack-c itself refuses deep nesting */
	if (!announces_only_what_is_there(note, bytes) ||
	    msgpack_unpack_next(&up, note, bytes, &off) != MSGPACK_UNPACK_SUCCESS)
		rc = gv_fail(&local, -EBADMSG, "not msgpack");
	else
		rc = read_root(&up.data, kernels, count, &local);
	msgpack_unpacked_destroy(&up);
	if (rc) {
		(void)gv_fail_prefix(&local, "NT_AMDGPU_METADATA");
		if (err)
			*err = local;
	}
	return rc;
}
