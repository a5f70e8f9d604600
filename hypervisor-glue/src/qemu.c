/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* QEMU's side of a VF on a vfio-user socket: needs QEMU 10.1 or newer. */
#include <stdio.h>
#include <string.h>

#include "qemu.h"

#define SOCKET_MAX 107u /* struct sockaddr_un, less the NUL */

/* QEMU ids: a letter, then letters, digits, - . _ */
static int check_id(const char *what, const char *id, struct gv_err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";

	if (!*id || !strchr(letters, *id) || id[strspn(id, others)] || strlen(id) > 63)
		return gv_fail(err, -EINVAL,
		               "%s: \"%.70s\" asked, a letter and up to 62 of letters, digits, "
		               "- . _ are possible",
		               what, id);
	return 0;
}

static int check_socket(const char *path, struct gv_err *err)
{
	if (!path || path[0] != '/' || strlen(path) > SOCKET_MAX)
		return gv_fail(err, -EINVAL,
		               "socket: \"%.110s\" asked, an absolute path of up to %u bytes is "
		               "possible",
		               path ? path : "", SOCKET_MAX);
	/* QEMU's JSON and libvirt's XML both want text: keep to what needs no thought. */
	for (const char *p = path; *p; p++)
		if (*p < ' ' || *p > '~')
			return gv_fail(err, -EINVAL,
			               "socket: only printable ASCII is possible in its path");
	return 0;
}

/* Room for every character escaped. */
static void escape(const char *from, char *to)
{
	for (; *from; from++) {
		if (*from == '"' || *from == '\\')
			*to++ = '\\';
		*to++ = *from;
	}
	*to = '\0';
}

int gv_glue_qemu_device(const struct gv_glue_vfio_user *vf, char **json, struct gv_err *err)
{
	const char *id = vf->id ? vf->id : "gpuvisor0";
	char path[2 * SOCKET_MAX + 1], bus[80] = "";
	char *text;
	int rc = check_socket(vf->socket, err);

	if (!rc)
		rc = check_id("id", id, err);
	if (!rc && vf->bus)
		rc = check_id("bus", vf->bus, err);
	if (rc)
		return rc;
	escape(vf->socket, path);
	if (vf->bus)
		(void)snprintf(bus, sizeof(bus), "\"bus\":\"%s\",", vf->bus);
	if (asprintf(&text,
	             "{\"driver\":\"vfio-user-pci\",\"id\":\"%s\",%s"
	             "\"socket\":{\"type\":\"unix\",\"path\":\"%s\"}}",
	             id, bus, path) < 0)
		return gv_fail(err, -ENOMEM, "out of memory");
	*json = text;
	return 0;
}

char **gv_glue_argv_free(char **argv)
{
	for (char **p = argv; p && *p; p++)
		free(*p);
	free(argv);
	return NULL;
}

static void free_argv(char ***argv)
{
	(void)gv_glue_argv_free(*argv);
}

int gv_glue_qemu_args(const struct gv_glue_vfio_user *vf, char ***argv, struct gv_err *err)
{
	GV_CLEANUP(free_argv) char **args = calloc(9, sizeof(*args));
	gv_auto_free char *device = NULL;
	char memory[32], object[96];
	int rc = gv_glue_qemu_device(vf, &device, err);

	if (rc)
		return rc;
	if (!args)
		return gv_fail(err, -ENOMEM, "out of memory");
	(void)snprintf(memory, sizeof(memory), "%uM", vf->memory_mib ? vf->memory_mib : 1024);
	/* share=on: guest memory has a descriptor that the device's process can map */
	(void)snprintf(object, sizeof(object),
	               "memory-backend-memfd,id=gpuvisor-mem,size=%s,share=on", memory);
	const char *const list[] = {"-m",      memory,     "-object",
	                            object,    "-machine", "memory-backend=gpuvisor-mem",
	                            "-device", device};

	for (size_t i = 0; i < GV_ARRAY_LEN(list); i++) {
		args[i] = strdup(list[i]);
		if (!args[i])
			return gv_fail(err, -ENOMEM, "out of memory");
	}
	*argv = GV_TAKE(args);
	return 0;
}
