/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include <libxml/parser.h>
#include <libxml/tree.h>

#include "virt_xml.h"

#define QEMU_NS  "http://libvirt.org/schemas/domain/qemu/1.0"
#define XML_MOST (16u << 20)

static void free_doc(xmlDocPtr *doc)
{
	if (*doc)
		xmlFreeDoc(*doc);
}

#define auto_doc GV_CLEANUP(free_doc) xmlDocPtr

static int parse(const char *xml, const char *root, xmlDocPtr *out, struct gv_err *err)
{
	size_t n = strlen(xml);
	auto_doc doc = NULL;
	xmlNodePtr top;

	if (n <= XML_MOST)
		doc = xmlReadMemory(xml, (int)n, NULL, NULL,
		                    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING |
		                            XML_PARSE_NOBLANKS);
	/* A prefix that means nothing would mean something once we have added ours. */
	top = doc && (doc->properties & XML_DOC_NSVALID) ? xmlDocGetRootElement(doc) : NULL;
	if (!top || doc->intSubset || top->ns || strcmp((const char *)top->name, root))
		return gv_fail(err, -EPROTO, "XML: not a <%s>", root);
	*out = GV_TAKE(doc);
	return 0;
}

static int print(xmlDocPtr doc, char **out, struct gv_err *err)
{
	xmlChar *text = NULL;
	int n = 0;
	char *copy;

	xmlDocDumpFormatMemory(doc, &text, &n, 1);
	copy = text ? strdup((const char *)text) : NULL;
	xmlFree(text);
	if (!copy)
		return gv_fail(err, -ENOMEM, "XML: out of memory");
	*out = copy;
	return 0;
}

/* ---- looking -------------------------------------------------------------- */
static bool is(const xmlNode *node, const char *ns, const char *name)
{
	const char *href = node->ns ? (const char *)node->ns->href : NULL;

	return node->type == XML_ELEMENT_NODE && !strcmp((const char *)node->name, name) &&
	       (ns ? href && !strcmp(href, ns) : !href);
}

/* The first child, or after @prev the next one, of that name. */
static xmlNodePtr child(const xmlNode *parent, const xmlNode *prev, const char *ns,
                        const char *name)
{
	xmlNodePtr node = prev ? prev->next : (parent ? parent->children : NULL);

	while (node && !is(node, ns, name))
		node = node->next;
	return node;
}

/* The attribute's text, or "": valid as long as the tree. Entities other than XML's own cannot be
 * there, there being no document type. */
static const char *get(const xmlNode *node, const char *name)
{
	xmlAttrPtr a = node ? xmlHasProp(node, BAD_CAST name) : NULL;

	return a && a->children && a->children->content ? (const char *)a->children->content : "";
}

static bool get_hex(const xmlNode *node, const char *name, unsigned long max, uint32_t *v)
{
	const char *text = get(node, name);
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 0);
	if (errno || end == text || *end || *text == '-' || n > max)
		return false;
	*v = (uint32_t)n;
	return true;
}

static bool get_source(const xmlNode *hostdev, struct gv_glue_bdf *bdf)
{
	xmlNodePtr at = child(child(hostdev, NULL, NULL, "source"), NULL, NULL, "address");
	uint32_t domain = 0, bus, slot, function;

	if (!at || (*get(at, "domain") && !get_hex(at, "domain", 0xffff, &domain)) ||
	    !get_hex(at, "bus", 0xff, &bus) || !get_hex(at, "slot", 31, &slot) ||
	    !get_hex(at, "function", 7, &function))
		return false;
	*bdf = (struct gv_glue_bdf){domain, (uint8_t)bus, (uint8_t)slot, (uint8_t)function};
	return true;
}

bool gv_virt_same_bdf(const struct gv_glue_bdf *a, const struct gv_glue_bdf *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->slot == b->slot &&
	       a->function == b->function;
}

static xmlNodePtr next_hostdev(const xmlNode *devices, const xmlNode *prev, struct gv_glue_bdf *bdf)
{
	xmlNodePtr node = child(devices, prev, NULL, "hostdev");

	while (node && (strcmp(get(node, "mode"), "subsystem") ||
	                strcmp(get(node, "type"), "pci") || !get_source(node, bdf)))
		node = child(devices, node, NULL, "hostdev");
	return node;
}

static xmlNodePtr devices_of(xmlDocPtr doc)
{
	return child(xmlDocGetRootElement(doc), NULL, NULL, "devices");
}

static xmlNodePtr find_hostdev(xmlDocPtr doc, const struct gv_glue_bdf *bdf)
{
	xmlNodePtr devices = devices_of(doc);
	struct gv_glue_bdf at;
	xmlNodePtr node = next_hostdev(devices, NULL, &at);

	while (node && !gv_virt_same_bdf(&at, bdf))
		node = next_hostdev(devices, node, &at);
	return node;
}

static const char *alias_of(const xmlNode *hostdev)
{
	return get(child(hostdev, NULL, NULL, "alias"), "name");
}

static xmlNodePtr find_override(xmlDocPtr doc, const char *alias)
{
	xmlNodePtr all = child(xmlDocGetRootElement(doc), NULL, QEMU_NS, "override");
	xmlNodePtr node = child(all, NULL, QEMU_NS, "device");

	while (node && (!*alias || strcmp(get(node, "alias"), alias)))
		node = child(all, node, QEMU_NS, "device");
	return node;
}

/* The property that carries a token, or NULL. */
static xmlNodePtr find_property(xmlDocPtr doc, const char *alias)
{
	xmlNodePtr front = child(find_override(doc, alias), NULL, QEMU_NS, "frontend");
	xmlNodePtr node = child(front, NULL, QEMU_NS, "property");

	while (node && strcmp(get(node, "name"), "vf-token") &&
	       strcmp(get(node, "name"), "sysfsdev"))
		node = child(front, node, QEMU_NS, "property");
	return node;
}

static xmlNodePtr metadata_of(xmlDocPtr doc)
{
	xmlNodePtr meta = child(xmlDocGetRootElement(doc), NULL, NULL, "metadata");

	return child(meta, NULL, GV_VIRT_META_NS, "devices");
}

/* ---- lists ---------------------------------------------------------------- */
struct list {
	struct gv_virt_dev *at;
	size_t count;
};

static int append(struct list *l, const struct gv_virt_dev *dev, struct gv_err *err)
{
	struct gv_virt_dev *more = reallocarray(l->at, l->count + 1, sizeof(*more));

	if (!more)
		return gv_fail(err, -ENOMEM, "XML: out of memory");
	more[l->count++] = *dev;
	l->at = more;
	return 0;
}

static void copy_alias(struct gv_virt_dev *dev, const char *alias)
{
	(void)snprintf(dev->alias, sizeof(dev->alias), "%.*s", GV_VIRT_ALIAS - 1, alias);
}

static int list_hostdevs(xmlDocPtr doc, struct list *l, struct gv_err *err)
{
	xmlNodePtr devices = devices_of(doc), node = NULL;
	struct gv_glue_bdf bdf;
	int rc = 0;

	while (!rc && (node = next_hostdev(devices, node, &bdf))) {
		struct gv_virt_dev dev = {.bdf = bdf, .how = GV_VIRT_HOSTDEV};

		dev.managed = !strcmp(get(node, "managed"), "yes");
		copy_alias(&dev, alias_of(node));
		if (find_property(doc, alias_of(node)))
			dev.how = GV_VIRT_OVERRIDE;
		rc = append(l, &dev, err);
	}
	return rc;
}

static int list_noted(xmlDocPtr doc, struct list *l, struct gv_err *err)
{
	xmlNodePtr all = metadata_of(doc), node = NULL;
	int rc = 0;

	while (!rc && (node = child(all, node, GV_VIRT_META_NS, "device"))) {
		struct gv_virt_dev dev = {.how = GV_VIRT_MONITOR};

		if (gv_glue_bdf_parse(get(node, "address"), &dev.bdf))
			continue;
		dev.managed = !strcmp(get(node, "managed"), "yes");
		/* never what the text says: the id goes to the monitor */
		gv_virt_alias("gv-vfio", &dev.bdf, dev.alias);
		(void)snprintf(dev.bus, sizeof(dev.bus), "%.*s", (int)sizeof(dev.bus) - 1,
		               get(node, "bus"));
		rc = append(l, &dev, err);
	}
	return rc;
}

int gv_virt_xml_devices(const char *xml, struct gv_virt_dev **devs, size_t *count,
                        struct gv_err *err)
{
	struct list l = {NULL, 0};
	auto_doc doc = NULL;
	int rc = parse(xml, "domain", &doc, err);

	if (!rc)
		rc = list_hostdevs(doc, &l, err);
	if (!rc)
		rc = list_noted(doc, &l, err);
	if (rc) {
		free(l.at);
		return rc;
	}
	*devs = l.at;
	*count = l.count;
	return 0;
}

int gv_virt_xml_find(const char *xml, const struct gv_glue_bdf *bdf, struct gv_virt_dev *dev,
                     struct gv_err *err)
{
	gv_auto_free struct gv_virt_dev *devs = NULL;
	size_t count = 0;
	int rc = gv_virt_xml_devices(xml, &devs, &count, err);

	for (size_t i = 0; !rc && i < count; i++)
		if (gv_virt_same_bdf(&devs[i].bdf, bdf)) {
			*dev = devs[i];
			return 0;
		}
	return rc ? rc : -ENOENT;
}

/* ---- editing -------------------------------------------------------------- */

/* The first failure of memory sticks: callers look once, at the end. */
static xmlNodePtr add_child(xmlNodePtr parent, xmlNsPtr ns, const char *name, bool *failed)
{
	xmlNodePtr node = parent ? xmlNewChild(parent, ns, BAD_CAST name, NULL) : NULL;

	*failed = *failed || !node;
	return node;
}

static void set(xmlNodePtr node, const char *name, const char *value, bool *failed)
{
	if (!node || !xmlSetProp(node, BAD_CAST name, BAD_CAST value))
		*failed = true;
}

static void drop(xmlNodePtr node)
{
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

static bool add_override(xmlDocPtr doc, const char *alias, const struct gv_virt_property *property)
{
	xmlNodePtr top = xmlDocGetRootElement(doc), node;
	xmlNsPtr ns = xmlSearchNsByHref(doc, top, BAD_CAST QEMU_NS);
	bool failed = false;

	if (!ns)
		ns = xmlNewNs(top, BAD_CAST QEMU_NS, BAD_CAST "qemu");
	if (!ns)
		return false;
	/* virsh detach-device takes a hostdev away and leaves its override: with an old token, and
	 * QEMU would be given the first of two. */
	while ((node = find_override(doc, alias)))
		drop(node);
	node = child(top, NULL, QEMU_NS, "override");
	if (!node)
		node = add_child(top, ns, "override", &failed);
	node = add_child(node, ns, "device", &failed);
	set(node, "alias", alias, &failed);
	node = add_child(node, ns, "frontend", &failed);
	node = add_child(node, ns, "property", &failed);
	set(node, "name", property->name, &failed);
	set(node, "type", "string", &failed);
	set(node, "value", property->value, &failed);
	return !failed;
}

static bool add_hostdev(xmlDocPtr doc, xmlDocPtr part)
{
	xmlNodePtr devices = devices_of(doc);
	xmlNodePtr copy = xmlDocCopyNode(xmlDocGetRootElement(part), doc, 1);

	if (copy && devices && xmlAddChild(devices, copy))
		return true;
	xmlFreeNode(copy);
	return false;
}

int gv_virt_xml_add(const char *xml, const char *hostdev, const char *alias,
                    const struct gv_virt_property *property, char **out, struct gv_err *err)
{
	auto_doc doc = NULL, part = NULL;
	int rc = parse(xml, "domain", &doc, err);

	if (!rc)
		rc = parse(hostdev, "hostdev", &part, err);
	if (rc)
		return rc;
	if (!devices_of(doc) &&
	    !xmlNewChild(xmlDocGetRootElement(doc), NULL, BAD_CAST "devices", NULL))
		return gv_fail(err, -ENOMEM, "XML: out of memory");
	if (!add_hostdev(doc, part) || (property && !add_override(doc, alias, property)))
		return gv_fail(err, -ENOMEM, "XML: out of memory");
	return print(doc, out, err);
}

int gv_virt_xml_remove(const char *xml, const struct gv_glue_bdf *bdf, char **out,
                       struct gv_err *err)
{
	auto_doc doc = NULL;
	xmlNodePtr hostdev, over, all;
	int rc = parse(xml, "domain", &doc, err);

	if (rc)
		return rc;
	hostdev = find_hostdev(doc, bdf);
	if (!hostdev)
		return -ENOENT;
	over = find_override(doc, alias_of(hostdev));
	if (over) {
		all = over->parent;
		drop(over);
		if (!child(all, NULL, QEMU_NS, "device"))
			drop(all);
	}
	drop(hostdev);
	return print(doc, out, err);
}

int gv_virt_xml_set_property(const char *xml, const struct gv_glue_bdf *bdf,
                             const struct gv_virt_property *property, char **out,
                             struct gv_err *err)
{
	auto_doc doc = NULL;
	xmlNodePtr hostdev, node;
	bool failed = false;
	int rc = parse(xml, "domain", &doc, err);

	if (rc)
		return rc;
	hostdev = find_hostdev(doc, bdf);
	node = hostdev ? find_property(doc, alias_of(hostdev)) : NULL;
	if (!node)
		return -ENOENT;
	if (!strcmp(get(node, "name"), property->name) &&
	    !strcmp(get(node, "value"), property->value))
		return -EALREADY;
	set(node, "name", property->name, &failed);
	set(node, "value", property->value, &failed);
	return failed ? gv_fail(err, -ENOMEM, "XML: out of memory") : print(doc, out, err);
}

/* ---- what a running domain tells ------------------------------------------ */
bool gv_virt_xml_global_token(const char *xml)
{
	auto_doc doc = NULL;
	xmlNodePtr all, node = NULL;
	bool global = false;

	if (parse(xml, "domain", &doc, NULL))
		return false;
	all = child(xmlDocGetRootElement(doc), NULL, QEMU_NS, "commandline");
	while ((node = child(all, node, QEMU_NS, "arg"))) {
		const char *value = get(node, "value");

		if (global && !strncmp(value, "vfio-pci.vf-token=", 18))
			return true;
		global = !strcmp(value, "-global");
	}
	return false;
}

/* Whether any device of libvirt's, or any of ours, is on PCI bus @number. */
static bool bus_is_used(xmlDocPtr doc, uint32_t number)
{
	xmlNodePtr all = metadata_of(doc), node = NULL;
	char bus[24];
	uint32_t n;

	(void)snprintf(bus, sizeof(bus), "pci.%u", number);
	while ((node = child(all, node, GV_VIRT_META_NS, "device")))
		if (!strcmp(get(node, "bus"), bus))
			return true;
	all = devices_of(doc);
	for (node = all ? all->children : NULL; node; node = node->next) {
		xmlNodePtr at = child(node, NULL, NULL, "address");

		if (at && !strcmp(get(at, "type"), "pci") && get_hex(at, "bus", 0xffff, &n) &&
		    n == number)
			return true;
	}
	return false;
}

int gv_virt_xml_free_port(const char *xml, char *bus, size_t room, struct gv_err *err)
{
	auto_doc doc = NULL;
	xmlNodePtr devices, node = NULL;
	uint32_t n;
	int rc = parse(xml, "domain", &doc, err);

	if (rc)
		return rc;
	devices = devices_of(doc);
	while ((node = child(devices, node, NULL, "controller"))) {
		if (strcmp(get(node, "type"), "pci") ||
		    strcmp(get(node, "model"), "pcie-root-port") ||
		    !get_hex(node, "index", 0xffff, &n) || bus_is_used(doc, n))
			continue;
		(void)snprintf(bus, room, "pci.%u", n);
		return 0;
	}
	return gv_fail(err, -ENOSPC,
	               "no free PCI port: the domain needs a spare <controller type='pci' "
	               "model='pcie-root-port'/> to plug into");
}

/* ---- our notes ------------------------------------------------------------ */
char *gv_virt_alias(const char *prefix, const struct gv_glue_bdf *bdf, char *alias)
{
	(void)snprintf(alias, GV_VIRT_ALIAS, "%s-%04x-%02x-%02x-%x", prefix, bdf->domain & 0xffff,
	               bdf->bus, bdf->slot, bdf->function);
	return alias;
}

static bool note(xmlNodePtr top, const struct gv_virt_dev *dev)
{
	char address[GV_GLUE_BDF_TEXT];
	bool failed = false;
	xmlNodePtr node = add_child(top, NULL, "device", &failed);

	set(node, "address", gv_glue_bdf_format(&dev->bdf, address), &failed);
	set(node, "managed", dev->managed ? "yes" : "no", &failed);
	set(node, "bus", dev->bus, &failed);
	return !failed;
}

int gv_virt_xml_metadata(const struct gv_virt_dev *devs, size_t count, char **out,
                         struct gv_err *err)
{
	auto_doc doc = xmlNewDoc(BAD_CAST "1.0");
	xmlNodePtr top = doc ? xmlNewNode(NULL, BAD_CAST "devices") : NULL;
	bool any = false;

	if (!top)
		return gv_fail(err, -ENOMEM, "XML: out of memory");
	(void)xmlDocSetRootElement(doc, top);
	for (size_t i = 0; i < count; i++) {
		if (devs[i].how != GV_VIRT_MONITOR)
			continue;
		any = true;
		if (!note(top, &devs[i]))
			return gv_fail(err, -ENOMEM, "XML: out of memory");
	}
	*out = NULL;
	return any ? print(doc, out, err) : 0;
}
