/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The connection, and what every call needs of a domain. */
#include <ctype.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>

#include "virt.h"

#define KEEPALIVE_S     5
#define KEEPALIVE_COUNT 3
#define UUID_TEXT       36

static const struct gv_virt_ops libvirt_ops = {
        .get_xml = virDomainGetXMLDesc,
        .attach = virDomainAttachDeviceFlags,
        .detach = virDomainDetachDeviceAlias,
        .monitor = virDomainQemuMonitorCommand,
        .set_metadata = virDomainSetMetadata,
};

/* ---- errors --------------------------------------------------------------- */
static void quiet(void *arg, virErrorPtr error)
{
	(void)arg;
	(void)error;
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int init_rc;

static void init(void)
{
	init_rc = virInitialize();
	virSetErrorFunc(NULL, quiet);
}

int gv_virt_init(struct gv_err *err)
{
	(void)pthread_once(&once, init);
	return init_rc < 0 ? gv_fail(err, -EIO, "libvirt: cannot be initialised") : 0;
}

static int code_of(int code)
{
	switch (code) {
	case VIR_ERR_NO_DOMAIN:
		return -ENOENT;
	case VIR_ERR_NO_SUPPORT:
	case VIR_ERR_CONFIG_UNSUPPORTED:
	case VIR_ERR_ARGUMENT_UNSUPPORTED:
		return -ENOTSUP;
	case VIR_ERR_AUTH_FAILED:
	case VIR_ERR_AUTH_CANCELLED:
	case VIR_ERR_ACCESS_DENIED:
		return -EACCES;
	default:
		return -EIO;
	}
}

/* Length of the UUID that @text begins with, else 0. */
static size_t uuid_at(const char *text)
{
	for (size_t i = 0; i < UUID_TEXT; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
		                                            : !isxdigit((unsigned char)text[i]))
			return 0;
	return UUID_TEXT;
}

void gv_virt_scrub(char *text)
{
	size_t n;

	for (char *p = text; *p; p += n ? n : 1) {
		n = uuid_at(p);
		memset(p, '*', n);
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	}
}

int gv_virt_fail(struct gv_err *err, const char *fmt, ...)
{
	const virError *e = virGetLastError();
	char what[200], why[GV_VIRT_SAYS];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* It may quote a definition or a command, and with it a token that we do not know here. */
	(void)snprintf(why, sizeof(why), "%s", virGetLastErrorMessage());
	gv_virt_scrub(why);
	return gv_fail(err, code_of(e ? e->code : 0), "%s: %s", what, why);
}

/* The last error's cause was that the domain is gone. */
static bool gone(void)
{
	const virError *e = virGetLastError();

	return e && e->code == VIR_ERR_NO_DOMAIN;
}

void gv_virt_hide(struct gv_err *err, const char *token)
{
	char *at;

	if (!err || !token || !*token)
		return;
	while ((at = strstr(err->text, token)))
		memset(at, '*', strlen(token));
}

/* ---- connection ----------------------------------------------------------- */
struct opening {
	char *uri;
	virConnectPtr conn, *out;
};

static int run_open(void *arg, struct gv_err *err)
{
	struct opening *o = arg;

	o->conn = virConnectOpen(o->uri);
	if (o->conn)
		return 0;
	(void)gv_virt_fail(err, "libvirt: %.100s", o->uri);
	err->code = -ECONNREFUSED;
	return -ECONNREFUSED;
}

static void take_conn(void *arg)
{
	struct opening *o = arg;

	*o->out = GV_TAKE(o->conn);
}

static void release_opening(void *arg)
{
	struct opening *o = arg;

	if (o->conn)
		(void)virConnectClose(o->conn);
	free(o->uri);
	free(o);
}

static int open_conn(const char *uri, bool patient, virConnectPtr *conn, struct gv_err *err)
{
	static const struct gv_virt_call how = {"libvirt: open", run_open, take_conn,
	                                        release_opening};
	struct opening *o;

	if (patient) {
		*conn = virConnectOpen(uri);
		return *conn ? 0 : gv_virt_fail(err, "libvirt: %.100s", uri);
	}
	o = calloc(1, sizeof(*o));
	if (!o || !(o->uri = strdup(uri))) {
		free(o);
		return gv_fail(err, -ENOMEM, "out of memory");
	}
	o->out = conn;
	return gv_virt_bounded(&how, o, GV_VIRT_TIMEOUT_MS, err);
}

static int open_virt(const char *uri, const struct gv_log *log, bool patient, struct gv_virt **virt,
                     struct gv_err *err)
{
	gv_auto_free struct gv_virt *v = calloc(1, sizeof(*v));
	int rc = v ? gv_virt_loop_get(err) : gv_fail(err, -ENOMEM, "out of memory");

	if (rc)
		return rc;
	rc = open_conn(uri ? uri : GV_VIRT_URI, patient, &v->conn, err);
	if (rc) {
		gv_virt_loop_put();
		return rc;
	}
	/* A libvirtd that dies or hangs ends our calls. Drivers without a socket have no use for
	 * it. */
	(void)virConnectSetKeepAlive(v->conn, KEEPALIVE_S, KEEPALIVE_COUNT);
	v->log = log;
	v->ops = &libvirt_ops;
	*virt = GV_TAKE(v);
	return 0;
}

int gv_virt_open(const char *uri, const struct gv_log *log, struct gv_virt **virt,
                 struct gv_err *err)
{
	return open_virt(uri, log, false, virt, err);
}

int gv_virt_open_patient(const char *uri, const struct gv_log *log, struct gv_virt **virt,
                         struct gv_err *err)
{
	return open_virt(uri, log, true, virt, err);
}

struct gv_virt *gv_virt_close(struct gv_virt *virt)
{
	if (!virt)
		return NULL;
	(void)virConnectClose(virt->conn);
	gv_virt_loop_put();
	free(virt);
	return NULL;
}

int gv_virt_versions(struct gv_virt *virt, unsigned long *libvirt, unsigned long *qemu,
                     struct gv_err *err)
{
	unsigned long l, q;

	if (virConnectGetLibVersion(virt->conn, &l) < 0)
		return gv_virt_fail(err, "libvirt: version");
	if (virConnectGetVersion(virt->conn, &q) < 0)
		return gv_virt_fail(err, "QEMU: version");
	*libvirt = l;
	*qemu = q;
	return 0;
}

int gv_virt_nodedev_xml(struct gv_virt *virt, const struct gv_glue_bdf *bdf, char **xml,
                        struct gv_err *err)
{
	char name[48], at[GV_GLUE_BDF_TEXT];
	virNodeDevicePtr dev;
	char *text;

	(void)snprintf(name, sizeof(name), "pci_%04x_%02x_%02x_%x", bdf->domain & 0xffff, bdf->bus,
	               bdf->slot, bdf->function);
	gv_glue_bdf_format(bdf, at);
	dev = virNodeDeviceLookupByName(virt->conn, name);
	if (!dev && virGetLastErrorCode() == VIR_ERR_NO_NODE_DEVICE)
		return gv_fail(err, -ENOENT,
		               "%s: libvirt has no node device for it; without udev it misses VFs "
		               "that appear later",
		               at);
	if (!dev)
		return gv_virt_fail(err, "%s: node device", at);
	text = virNodeDeviceGetXMLDesc(dev, 0);
	(void)virNodeDeviceFree(dev);
	if (!text)
		return gv_virt_fail(err, "%s: node device", at);
	*xml = text;
	return 0;
}

/* ---- domains -------------------------------------------------------------- */
int gv_virt_domain_init(virDomainPtr domain, struct gv_virt_domain *d, struct gv_err *err)
{
	const char *name = virDomainGetName(domain);
	int running = virDomainIsActive(domain), persistent = virDomainIsPersistent(domain);

	*d = (struct gv_virt_domain){.domain = domain, .running = running > 0};
	d->persistent = persistent > 0;
	if (!name || running < 0 || persistent < 0 || virDomainGetUUIDString(domain, d->uuid) < 0) {
		int rc = gv_virt_fail(err, "domain %.100s", name ? name : "");

		gv_virt_domain_done(d);
		return rc;
	}
	(void)snprintf(d->name, sizeof(d->name), "%s", name);
	return 0;
}

void gv_virt_domain_done(struct gv_virt_domain *domain)
{
	if (domain->domain)
		(void)virDomainFree(domain->domain);
	domain->domain = NULL;
}

int gv_virt_lookup(struct gv_virt *virt, const char *name, struct gv_virt_domain *domain,
                   struct gv_err *err)
{
	virDomainPtr found;

	*domain = (struct gv_virt_domain){0};
	if (!name || !*name || strlen(name) >= GV_VIRT_NAME)
		return gv_fail(err, -EINVAL,
		               "domain: a name of 1 to %d bytes, or a UUID, is possible",
		               GV_VIRT_NAME - 1);
	found = virDomainLookupByName(virt->conn, name);
	if (!found && gone())
		found = virDomainLookupByUUIDString(virt->conn, name);
	if (!found && (gone() || virGetLastErrorCode() == VIR_ERR_INVALID_ARG))
		return gv_fail(err, -ENOENT, "domain %s: libvirt knows none of that name or UUID",
		               name);
	if (!found)
		return gv_virt_fail(err, "domain %s", name);
	return gv_virt_domain_init(found, domain, err);
}

int gv_virt_get_xml(struct gv_virt *virt, const struct gv_virt_domain *domain, bool live,
                    char **xml, struct gv_err *err)
{
	/* SECURE: else a definition written back would lose its passwords */
	unsigned flags = live ? 0 : VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE;
	char *text = virt->ops->get_xml(domain->domain, flags);

	if (!text)
		return gv_virt_fail(err, "domain %s: XML", domain->name);
	*xml = text;
	return 0;
}

int gv_virt_define(struct gv_virt *virt, const char *xml, struct gv_err *err)
{
	virDomainPtr d = virDomainDefineXMLFlags(virt->conn, xml, VIR_DOMAIN_DEFINE_VALIDATE);

	if (!d)
		return gv_virt_fail(err, "libvirt refuses the new definition");
	(void)virDomainFree(d);
	return 0;
}

int gv_virt_where(const struct gv_virt_domain *domain, unsigned flags, unsigned *where,
                  struct gv_err *err)
{
	unsigned w = flags & (GV_VIRT_LIVE | GV_VIRT_CONFIG);

	if (!w)
		w = domain->running ? GV_VIRT_LIVE : GV_VIRT_CONFIG;
	if ((w & GV_VIRT_LIVE) && !domain->running)
		return gv_fail(err, -EINVAL, "domain %s: live asked, it does not run",
		               domain->name);
	if ((w & GV_VIRT_CONFIG) && !domain->persistent)
		return gv_fail(err, -EINVAL,
		               "domain %s: config asked, it is transient and has no definition",
		               domain->name);
	*where = w;
	return 0;
}
