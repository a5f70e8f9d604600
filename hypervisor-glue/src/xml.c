/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt XML. libxml2 writes it, so that nothing we are given can break out of its place. */
#include <stdio.h>
#include <string.h>

#include <libxml/xmlwriter.h>

#include <gv/hypervisor_glue.h>

#include "qemu.h"

#define QEMU_NS "http://libvirt.org/schemas/domain/qemu/1.0"

/* A writer remembers its first failure, which can only be memory. */
struct xml {
	xmlBufferPtr buf;
	xmlTextWriterPtr w;
	bool failed;
};

static void done(struct xml *x)
{
	if (x->w)
		xmlFreeTextWriter(x->w);
	if (x->buf)
		xmlBufferFree(x->buf);
}

static void note(struct xml *x, int rc)
{
	x->failed = x->failed || rc < 0;
}

static void start(struct xml *x)
{
	x->buf = xmlBufferCreate();
	x->w = x->buf ? xmlNewTextWriterMemory(x->buf, 0) : NULL;
	x->failed = !x->w;
	if (x->failed)
		return;
	note(x, xmlTextWriterSetIndent(x->w, 1));
	note(x, xmlTextWriterSetIndentString(x->w, BAD_CAST "  "));
}

static void open_element(struct xml *x, const char *name)
{
	if (!x->failed)
		note(x, xmlTextWriterStartElement(x->w, BAD_CAST name));
}

static void attribute(struct xml *x, const char *name, const char *value)
{
	if (!x->failed)
		note(x, xmlTextWriterWriteAttribute(x->w, BAD_CAST name, BAD_CAST value));
}

static void close_element(struct xml *x)
{
	if (!x->failed)
		note(x, xmlTextWriterEndElement(x->w));
}

static void leaf(struct xml *x, const char *name, const char *attr, const char *value)
{
	open_element(x, name);
	if (attr)
		attribute(x, attr, value);
	close_element(x);
}

static void text_element(struct xml *x, const char *name, const char *text)
{
	if (text && !x->failed)
		note(x, xmlTextWriterWriteElement(x->w, BAD_CAST name, BAD_CAST text));
}

static int finish(struct xml *x, char **out, struct gv_err *err)
{
	char *copy = NULL;

	if (!x->failed)
		note(x, xmlTextWriterEndDocument(x->w));
	if (!x->failed)
		note(x, xmlTextWriterFlush(x->w));
	if (!x->failed)
		copy = strdup((const char *)xmlBufferContent(x->buf));
	if (!copy)
		return gv_fail(err, -ENOMEM, "XML: out of memory");
	*out = copy;
	return 0;
}

/* ---- what may go into it -------------------------------------------------- */
/* Control characters are not XML, in whatever way they are written. */
static int check_text(const char *what, const char *text, struct gv_err *err)
{
	if (!text)
		return 0;
	if (!*text || strlen(text) > 4096 || !xmlCheckUTF8(BAD_CAST text))
		return gv_fail(err, -EINVAL, "%s: 1 to 4096 bytes of UTF-8 are possible", what);
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return gv_fail(err, -EINVAL, "%s: control characters are not possible",
			               what);
	return 0;
}

static int check_alias(const char *alias, struct gv_err *err)
{
	size_t n = strlen(alias);

	if (strncmp(alias, "ua-", 3) || n < 4 || n > 63)
		return gv_fail(err, -EINVAL,
		               "alias: \"%.70s\" asked, \"ua-\" and 1 to 60 letters are possible",
		               alias);
	if (alias[strspn(alias,
	                 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
		return gv_fail(err, -EINVAL,
		               "alias: \"%s\" asked, letters, digits, _ and - are possible", alias);
	return 0;
}

static int check_domain(const struct gv_glue_domain *d, struct gv_err *err)
{
	int rc = check_text("name", d->name, err);

	if (!rc && d->name && strchr(d->name, '/'))
		return gv_fail(err, -EINVAL, "name: libvirt takes no '/' in it");
	if (!rc)
		rc = check_text("type", d->type, err);
	if (!rc)
		rc = check_text("emulator", d->emulator, err);
	if (!rc)
		rc = check_text("kernel", d->kernel, err);
	if (!rc)
		rc = check_text("initrd", d->initrd, err);
	if (!rc)
		rc = check_text("cmdline", d->cmdline, err);
	return rc;
}

static int check_vf(const struct gv_glue_fn *vf, const char **alias, char *own, size_t room,
                    struct gv_err *err)
{
	char name[GV_GLUE_BDF_TEXT];

	if (!vf->is_vf || vf->vf_index < 0)
		return gv_fail(err, -EINVAL, "%s: not a VF: only VFs are handed to guests",
		               gv_glue_bdf_format(&vf->bdf, name));
	if (!*alias) {
		(void)snprintf(own, room, "ua-vf%d", vf->vf_index);
		*alias = own;
	}
	return check_alias(*alias, err);
}

/* ---- pieces ----------------------------------------------------------------- */
static void put_address(struct xml *x, const struct gv_glue_bdf *bdf)
{
	char v[16];

	open_element(x, "address");
	(void)snprintf(v, sizeof(v), "0x%04x", bdf->domain);
	attribute(x, "domain", v);
	(void)snprintf(v, sizeof(v), "0x%02x", bdf->bus);
	attribute(x, "bus", v);
	(void)snprintf(v, sizeof(v), "0x%02x", bdf->slot);
	attribute(x, "slot", v);
	(void)snprintf(v, sizeof(v), "0x%x", bdf->function);
	attribute(x, "function", v);
	close_element(x);
}

static void put_hostdev(struct xml *x, const struct gv_glue_fn *vf, bool managed, const char *alias)
{
	open_element(x, "hostdev");
	attribute(x, "mode", "subsystem");
	attribute(x, "type", "pci");
	attribute(x, "managed", managed ? "yes" : "no");
	leaf(x, "driver", "name", "vfio");
	open_element(x, "source");
	put_address(x, &vf->bdf);
	close_element(x);
	leaf(x, "alias", "name", alias);
	close_element(x);
}

static void put_memory(struct xml *x, uint32_t mib, bool shared)
{
	char v[16];

	(void)snprintf(v, sizeof(v), "%u", mib ? mib : 1024);
	open_element(x, "memory");
	attribute(x, "unit", "MiB");
	if (!x->failed)
		note(x, xmlTextWriterWriteString(x->w, BAD_CAST v));
	close_element(x);
	if (!shared)
		return;
	open_element(x, "memoryBacking");
	leaf(x, "source", "type", "memfd");
	leaf(x, "access", "mode", "shared");
	close_element(x);
}

static void put_os(struct xml *x, const struct gv_glue_domain *d)
{
	open_element(x, "os");
	open_element(x, "type");
	attribute(x, "arch", "x86_64");
	attribute(x, "machine", "q35");
	if (!x->failed)
		note(x, xmlTextWriterWriteString(x->w, BAD_CAST "hvm"));
	close_element(x);
	text_element(x, "kernel", d->kernel);
	text_element(x, "initrd", d->initrd);
	text_element(x, "cmdline", d->cmdline);
	close_element(x);
	open_element(x, "features");
	leaf(x, "acpi", NULL, NULL);
	close_element(x);
}

static void open_domain(struct xml *x, const struct gv_glue_domain *d, bool shared)
{
	char v[16];

	open_element(x, "domain");
	attribute(x, "type", d->type ? d->type : "kvm");
	if (shared)
		attribute(x, "xmlns:qemu", QEMU_NS);
	text_element(x, "name", d->name ? d->name : "gpuvisor-guest");
	put_memory(x, d->memory_mib, shared);
	(void)snprintf(v, sizeof(v), "%u", d->vcpus ? d->vcpus : 1);
	text_element(x, "vcpu", v);
	put_os(x, d);
}

/* libvirt numbers controllers in order and wants the root itself to be number 0. */
static void put_controller(struct xml *x, const char *index, const char *model)
{
	open_element(x, "controller");
	attribute(x, "type", "pci");
	attribute(x, "index", index);
	attribute(x, "model", model);
	close_element(x);
}

/* Up to and including a spare port, without which nothing can be plugged in later. */
static void open_devices(struct xml *x, const struct gv_glue_domain *d)
{
	open_element(x, "devices");
	text_element(x, "emulator", d->emulator);
	put_controller(x, "0", "pcie-root");
	put_controller(x, "1", "pcie-root-port");
	put_controller(x, "2", "pcie-root-port");
	leaf(x, "console", "type", "pty");
}

/* ---- the calls ---------------------------------------------------------------- */
int gv_glue_hostdev_xml(const struct gv_glue_fn *vf, bool managed, const char *alias, char **xml,
                        struct gv_err *err)
{
	GV_CLEANUP(done) struct xml x = {NULL, NULL, false};
	char own[32];
	int rc = check_vf(vf, &alias, own, sizeof(own), err);

	if (rc)
		return rc;
	start(&x);
	put_hostdev(&x, vf, managed, alias);
	return finish(&x, xml, err);
}

static const struct gv_glue_domain plain_domain;

int gv_glue_domain_xml(const struct gv_glue_domain *domain, const struct gv_glue_fn *vf,
                       bool managed, const char *alias, char **xml, struct gv_err *err)
{
	GV_CLEANUP(done) struct xml x = {NULL, NULL, false};
	char own[32];
	int rc = check_vf(vf, &alias, own, sizeof(own), err);

	domain = domain ? domain : &plain_domain;
	if (!rc)
		rc = check_domain(domain, err);
	if (rc)
		return rc;
	start(&x);
	open_domain(&x, domain, false);
	open_devices(&x, domain);
	put_hostdev(&x, vf, managed, alias);
	close_element(&x);
	close_element(&x);
	return finish(&x, xml, err);
}

int gv_glue_vfio_user_domain_xml(const struct gv_glue_domain *domain,
                                 const struct gv_glue_vfio_user *vf, char **xml, struct gv_err *err)
{
	GV_CLEANUP(done) struct xml x = {NULL, NULL, false};
	gv_auto_free char *device = NULL;
	struct gv_glue_domain d = domain ? *domain : plain_domain;
	int rc = gv_glue_qemu_device(vf, &device, err);

	if (!rc)
		rc = check_domain(&d, err);
	if (rc)
		return rc;
	d.memory_mib = d.memory_mib ? d.memory_mib : vf->memory_mib;
	start(&x);
	open_domain(&x, &d, true);
	open_devices(&x, &d);
	close_element(&x);
	open_element(&x, "qemu:commandline");
	leaf(&x, "qemu:arg", "value", "-device");
	leaf(&x, "qemu:arg", "value", device);
	close_element(&x);
	close_element(&x);
	return finish(&x, xml, err);
}
