/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* JSON text to struct gv_cfg. The text was scanned before: json-c only builds the tree. */
#include <fcntl.h>
#include <json-c/json.h>
#include <string.h>
#include <sys/stat.h>

#include "check.h"
#include "scan.h"

static void put_object(struct json_object **o)
{
	json_object_put(*o);
}

static void free_tokener(struct json_tokener **t)
{
	if (*t)
		json_tokener_free(*t);
}

static const char *type_name(struct json_object *o)
{
	if (json_object_is_type(o, json_type_double))
		return "a number that is not whole";
	return json_type_to_name(json_object_get_type(o));
}

/* -ERANGE-able number, or what was asked instead. json-c clamps what 64 bits cannot hold: that is
 * outside every range of ours. */
int gv_cfg_take_number(struct json_object *o, const char *possible, int64_t *v, struct gv_err *err)
{
	if (!json_object_is_type(o, json_type_int))
		return gv_fail(err, -EINVAL, "%.60s asked (%s), %s",
		               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		               type_name(o), possible);
	*v = json_object_get_int64(o);
	return 0;
}

int gv_cfg_take_string(struct json_object *o, const char *possible, char *to, size_t room,
                       struct gv_err *err)
{
	const char *text;
	size_t n;

	if (!json_object_is_type(o, json_type_string))
		return gv_fail(err, -EINVAL, "%.60s asked (%s), %s",
		               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		               type_name(o), possible);
	text = json_object_get_string(o);
	n = (size_t)json_object_get_string_len(o);
	if (strlen(text) != n)
		return gv_fail(err, -EINVAL, "a string with \\u0000 asked, %s", possible);
	if (!n || n >= room)
		return gv_fail(err, -EINVAL, "%zu bytes asked, 1 to %zu are possible", n, room - 1);
	memcpy(to, text, n + 1);
	return 0;
}

/* ---- vfs[] ---------------------------------------------------------------- */
static int take_vf_number(struct json_object *o, const struct gv_cfg_number *n,
                          struct gv_cfg_vf *vf, struct gv_err *err)
{
	int64_t v = 0;
	uint32_t value;
	int rc;

	/* "rest" says in words what leaving the key out says: automatic. */
	if (n->offset == offsetof(struct gv_cfg_vf, fb_mib) &&
	    json_object_is_type(o, json_type_string) && !strcmp(json_object_get_string(o), "rest"))
		return 0;
	rc = gv_cfg_take_number(o, n->possible, &v, err);
	if (!rc)
		rc = gv_cfg_check_number(n, v, err);
	if (rc)
		return rc;
	value = (uint32_t)v;
	memcpy((char *)vf + n->offset, &value, sizeof(value));
	return 0;
}

static int take_name(struct json_object *o, char *to, size_t room, struct gv_err *err)
{
	int rc = gv_cfg_take_string(o, "a string of 1 to 63 letters, digits, . _ - is possible", to,
	                            room, err);

	return rc ? rc : gv_cfg_check_name(to, err);
}

static int take_vf_key(const char *key, struct json_object *o, struct gv_cfg_vf *vf,
                       struct gv_err *err)
{
	for (unsigned i = 0; i < GV_CFG_NUMBERS; i++)
		if (!strcmp(key, gv_cfg_numbers[i].key))
			return take_vf_number(o, &gv_cfg_numbers[i], vf, err);
	if (!strcmp(key, "label"))
		return take_name(o, vf->label, sizeof(vf->label), err);
	return gv_fail(err, -EINVAL,
	               "unknown key asked, fb_mib, doorbells, quantum_ms, weight, priority, "
	               "preempt_timeout_ms and label are possible");
}

static void set_defaults(struct gv_cfg_vf *vf)
{
	for (unsigned i = 0; i < GV_CFG_NUMBERS; i++)
		memcpy((char *)vf + gv_cfg_numbers[i].offset, &gv_cfg_numbers[i].otherwise,
		       sizeof(uint32_t));
}

static int take_vf(struct json_object *o, unsigned at, struct gv_cfg_vf *vf, struct gv_err *err)
{
	int rc;

	if (!json_object_is_type(o, json_type_object))
		return gv_fail(err, -EINVAL, "vfs[%u]: %.60s asked (%s), an object is possible", at,
		               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		               type_name(o));
	json_object_object_foreach(o, key, value)
	{
		rc = take_vf_key(key, value, vf, err);
		if (rc) {
			gv_fail_prefix(err, "vfs[%u].%.40s", at, key);
			return rc;
		}
	}
	return 0;
}

static int take_vfs(struct json_object *o, struct gv_cfg *cfg, struct gv_err *err)
{
	size_t count;

	if (!json_object_is_type(o, json_type_array))
		return gv_fail(err, -EINVAL, "vfs: %.60s asked (%s), a list of objects is possible",
		               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		               type_name(o));
	count = json_object_array_length(o);
	if (count > cfg->num_vfs)
		return gv_fail(err, -ERANGE, "vfs: %zu VFs asked, num_vfs makes %u possible", count,
		               cfg->num_vfs);
	for (unsigned i = 0; i < count; i++) {
		int rc = take_vf(json_object_array_get_idx(o, i), i, &cfg->vfs[i], err);

		if (rc)
			return rc;
	}
	return 0;
}

/* ---- the whole ------------------------------------------------------------ */
static int take_num_vfs(struct json_object *root, struct gv_cfg *cfg, struct gv_err *err)
{
	static const char possible[] = "a whole number from 1 to 31 is possible";
	struct json_object *o;
	int64_t v = 0;
	int rc;

	if (!json_object_object_get_ex(root, "num_vfs", &o))
		return gv_fail(err, -EINVAL, "num_vfs: nothing asked, %s and needed", possible);
	rc = gv_cfg_take_number(o, possible, &v, err);
	if (!rc && (v < 1 || v > GV_CFG_MAX_VFS))
		rc = gv_fail(err, -ERANGE, "%lld asked, %s", (long long)v, possible);
	if (rc) {
		gv_fail_prefix(err, "num_vfs");
		return rc;
	}
	cfg->num_vfs = (uint32_t)v;
	for (unsigned i = 0; i < cfg->num_vfs; i++)
		set_defaults(&cfg->vfs[i]);
	return 0;
}

static int take_gpu(struct json_object *o, struct gv_cfg *cfg, struct gv_err *err)
{
	int rc = gv_cfg_take_string(o, "vfio-user:/SOCKET or vfio:DDDD:BB:SS.F is possible",
	                            cfg->gpu, sizeof(cfg->gpu), err);

	return rc ? rc : gv_cfg_check_uri(cfg->gpu, err);
}

/* ---- scheduler ------------------------------------------------------------ */
static int take_policy(struct json_object *o, struct gv_cfg *cfg, struct gv_err *err)
{
	char name[32];
	int rc = gv_cfg_take_string(o, GV_CFG_SCHED_POSSIBLE, name, sizeof(name), err);

	for (unsigned i = 0; !rc && i < GV_CFG_SCHEDS; i++) {
		if (strcmp(name, gv_cfg_sched_name(i)) != 0)
			continue;
		cfg->policy = i;
		return 0;
	}
	return rc ? rc : gv_fail(err, -EINVAL, "\"%s\" asked, " GV_CFG_SCHED_POSSIBLE, name);
}

static int take_scheduler_key(const char *key, struct json_object *o, struct gv_cfg *cfg,
                              struct gv_err *err)
{
	int64_t v = 0;
	int rc;

	if (!strcmp(key, "policy"))
		return take_policy(o, cfg, err);
	if (strcmp(key, gv_cfg_preempt.key) != 0)
		return gv_fail(err, -EINVAL,
		               "unknown key asked, policy and preempt_timeout_ms are possible");
	rc = gv_cfg_take_number(o, gv_cfg_preempt.possible, &v, err);
	if (!rc)
		rc = gv_cfg_check_number(&gv_cfg_preempt, v, err);
	if (!rc)
		cfg->preempt_timeout_ms = (uint32_t)v;
	return rc;
}

static int take_scheduler(struct json_object *o, struct gv_cfg *cfg, struct gv_err *err)
{
	if (!json_object_is_type(o, json_type_object))
		return gv_fail(err, -EINVAL, "scheduler: %.60s asked (%s), an object is possible",
		               json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN),
		               type_name(o));
	json_object_object_foreach(o, key, value)
	{
		int rc = take_scheduler_key(key, value, cfg, err);

		if (rc) {
			gv_fail_prefix(err, "scheduler.%.40s", key);
			return rc;
		}
	}
	return 0;
}

static int take_key(const char *key, struct json_object *o, struct gv_cfg *cfg, struct gv_err *err)
{
	char schema[256];

	if (!strcmp(key, "num_vfs") || !strcmp(key, "vfs") || !strcmp(key, "scheduler") ||
	    !strcmp(key, "guard"))
		return 0; /* on their own, in that order */
	if (!strcmp(key, "gpu"))
		return take_gpu(o, cfg, err);
	if (!strcmp(key, "name"))
		return take_name(o, cfg->name, sizeof(cfg->name), err);
	if (!strcmp(key, "$schema")) /* for editors */
		return gv_cfg_take_string(o, "a string is possible", schema, sizeof(schema), err);
	return gv_fail(err, -EINVAL,
	               "unknown key asked, gpu, num_vfs, vfs, name, scheduler, guard and "
	               "$schema are possible");
}

static int take_root(struct json_object *root, struct gv_cfg *cfg, struct gv_err *err)
{
	struct json_object *vfs, *scheduler, *guard;
	int rc;

	if (!json_object_is_type(root, json_type_object))
		return gv_fail(err, -EINVAL, "$: %s asked, an object is possible", type_name(root));
	json_object_object_foreach(root, key, value)
	{
		rc = take_key(key, value, cfg, err);
		if (rc) {
			gv_fail_prefix(err, "%.40s", key);
			return rc;
		}
	}
	rc = take_num_vfs(root, cfg, err);
	if (!rc && json_object_object_get_ex(root, "vfs", &vfs))
		rc = take_vfs(vfs, cfg, err);
	if (!rc && json_object_object_get_ex(root, "scheduler", &scheduler))
		rc = take_scheduler(scheduler, cfg, err);
	if (!rc && json_object_object_get_ex(root, "guard", &guard))
		rc = gv_cfg_take_guard(guard, cfg, err);
	return rc;
}

int gv_cfg_parse(const char *text, size_t bytes, struct gv_cfg *cfg, struct gv_err *err)
{
	GV_CLEANUP(free_tokener) struct json_tokener *tokener = NULL;
	GV_CLEANUP(put_object) struct json_object *root = NULL;
	struct gv_cfg c = {.policy = GV_CFG_SCHED};
	int rc;

	if (bytes > GV_CFG_MAX_FILE_BYTES)
		return gv_fail(err, -E2BIG, "$: %zu bytes asked, %u are possible", bytes,
		               GV_CFG_MAX_FILE_BYTES);
	rc = gv_cfg_scan(text, bytes, err);
	if (rc)
		return rc;
	tokener = json_tokener_new_ex(GV_CFG_MAX_DEPTH + 1);
	if (!tokener)
		return gv_fail(err, -ENOMEM, "$: out of memory");
	/* without a NUL behind it, a lone number would have no end */
	root = json_tokener_parse_ex(tokener, text, (int)bytes);
	if (json_tokener_get_error(tokener) == json_tokener_continue)
		root = json_tokener_parse_ex(tokener, "", 1);
	if (json_tokener_get_error(tokener) != json_tokener_success)
		return gv_fail(err, -EINVAL, "$: %s",
		               json_tokener_error_desc(json_tokener_get_error(tokener)));
	rc = take_root(root, &c, err);
	if (!rc)
		rc = gv_cfg_check(&c, err);
	if (!rc)
		*cfg = c;
	return rc;
}

/* ---- files ---------------------------------------------------------------- */
static int read_all(int fd, char *buf, size_t room, size_t *bytes)
{
	size_t n = 0;

	while (n < room) {
		ssize_t r = read(fd, buf + n, room - n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -errno;
		if (!r)
			break;
		n += (size_t)r;
	}
	*bytes = n;
	return 0;
}

static int load(const char *path, struct gv_cfg *cfg, struct gv_err *err)
{
	gv_auto_fd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	gv_auto_free char *text = NULL;
	size_t bytes = 0;
	struct stat st;
	int rc;

	if (fd < 0 || fstat(fd, &st))
		return gv_fail(err, -errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return gv_fail(err, -EINVAL, "not a regular file");
	text = malloc(GV_CFG_MAX_FILE_BYTES + 1);
	if (!text)
		return gv_fail(err, -ENOMEM, "out of memory");
	/* one more than allowed: the size that fstat() said may be old */
	rc = read_all(fd, text, GV_CFG_MAX_FILE_BYTES + 1, &bytes);
	if (rc)
		return gv_fail(err, rc, "%s", strerror(-rc));
	return gv_cfg_parse(text, bytes, cfg, err);
}

int gv_cfg_load_file(const char *path, struct gv_cfg *cfg, struct gv_err *err)
{
	int rc = load(path, cfg, err);

	if (rc)
		gv_fail_prefix(err, "%.150s", path);
	return rc;
}
