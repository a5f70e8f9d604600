/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Hot plug, which libvirt's test driver has not: a running domain and its QEMU are played here. */
#include <libvirt/libvirt.h>

#include <virt_watch.h>

#include "tree.h"

#define TOKEN "00112233-4455-6677-8899-aabbccddeeff"
#define NAME  "test" /* the domain that runs in test:///default */
#define PORTS                                                                                      \
	"<controller type='pci' index='1' model='pcie-root-port'/>"                                \
	"<controller type='pci' index='2' model='pcie-root-port'/>"

static struct {
	const char *version, *extra; /* extra: XML of the domain */
	char hostdev[1024], notes[1024], plugged[128], command[512];
	unsigned presses, lets_go_after; /* 0: never */
	const char *next;                /* hostdev that is there when it is read again */
	unsigned reads;
	bool refuse_add, hangs;
	int pad; /* spaces before the token in a refusal */
} guest;

static struct gv_virt *virt;
static char links[96];
static const struct gv_glue_bdf vf0 = {0, 3, 2, 0};

/* ---- libvirt and QEMU ----------------------------------------------------- */
static char *get_xml(virDomainPtr domain, unsigned flags)
{
	const char *top = strstr(guest.notes, "<devices>");
	char *xml = NULL;

	if (guest.next && !strcmp(virDomainGetName(domain), NAME) && guest.reads++)
		(void)snprintf(guest.hostdev, sizeof(guest.hostdev), "%s", guest.next);
	if (flags & VIR_DOMAIN_XML_INACTIVE || strcmp(virDomainGetName(domain), NAME) != 0)
		return virDomainGetXMLDesc(domain, flags);
	CU_ASSERT(asprintf(&xml,
	                   "<domain>%s<metadata>%s%s</metadata><devices>%s" PORTS
	                   "</devices></domain>",
	                   guest.extra ? guest.extra : "",
	                   top ? "<devices xmlns='" GV_VIRT_META_NS "'>" : "",
	                   top ? top + strlen("<devices>") : "", guest.hostdev) > 0);
	return xml;
}

static int attach(virDomainPtr domain, const char *xml, unsigned flags)
{
	(void)domain;
	CU_ASSERT_EQUAL(flags, VIR_DOMAIN_AFFECT_LIVE);
	if (guest.hangs)
		(void)usleep(300000);
	(void)snprintf(guest.hostdev, sizeof(guest.hostdev), "%s", xml);
	return 0;
}

static bool press(void)
{
	return ++guest.presses == guest.lets_go_after;
}

static int detach(virDomainPtr domain, const char *alias, unsigned flags)
{
	(void)domain;
	CU_ASSERT_EQUAL(flags, VIR_DOMAIN_AFFECT_LIVE);
	CU_ASSERT_STRING_EQUAL(alias, "ua-vf-0000-03-02-0");
	if (press())
		guest.hostdev[0] = '\0';
	return 0;
}

static const char *answer(const char *command, char *room, size_t size)
{
	if (strstr(command, "query-version"))
		return guest.version;
	if (strstr(command, "qom-list")) {
		(void)snprintf(room, size, "{\"return\":[{\"name\":\"net0\"},{\"name\":\"%s\"}]}",
		               guest.plugged);
		return room;
	}
	(void)snprintf(guest.command, sizeof(guest.command), "%s", command);
	if (strstr(command, "device_add") && guest.refuse_add) {
		(void)snprintf(room, size,
		               "{\"error\":{\"class\":\"GenericError\",\"desc\":\"vfio x%*s "
		               "vf_token=" TOKEN ": no\"}}",
		               guest.pad, "");
		return room;
	}
	if (strstr(command, "device_add"))
		strcpy(guest.plugged, "gv-vfio-0000-03-02-0");
	else if (strstr(command, "device_del") && press())
		guest.plugged[0] = '\0';
	return "{\"return\":{}}";
}

static int monitor(virDomainPtr domain, const char *command, char **result, unsigned flags)
{
	char room[1024];

	(void)domain;
	CU_ASSERT_EQUAL(flags, 0);
	*result = strdup(answer(command, room, sizeof(room)));
	return 0;
}

static int set_metadata(virDomainPtr domain, int type, const char *metadata, const char *key,
                        const char *uri, unsigned flags)
{
	(void)domain;
	CU_ASSERT_EQUAL(type, VIR_DOMAIN_METADATA_ELEMENT);
	CU_ASSERT_EQUAL(flags, VIR_DOMAIN_AFFECT_LIVE);
	CU_ASSERT_STRING_EQUAL(uri, GV_VIRT_META_NS);
	CU_ASSERT(!metadata == !key);
	(void)snprintf(guest.notes, sizeof(guest.notes), "%s", metadata ? metadata : "");
	return 0;
}

static const struct gv_virt_ops ops = {get_xml, attach, detach, monitor, set_metadata};

/* ---- cases ---------------------------------------------------------------- */
#define QEMU_7_2 "{\"return\":{\"qemu\":{\"micro\":22,\"minor\":2,\"major\":7},\"package\":\"\"}}"
#define QEMU_8_1 "{\"return\":{\"qemu\":{\"micro\":0,\"minor\":1,\"major\":8},\"package\":\"\"}}"

static void begin(const char *version)
{
	memset(&guest, 0, sizeof(guest));
	guest.version = version;
	guest.lets_go_after = 1;
	tree_make(2);
	(void)snprintf(links, sizeof(links), "%s/links", tree);
	CU_ASSERT_EQUAL_FATAL(gv_virt_open("test:///default", NULL, &virt, NULL), 0);
	virt->ops = &ops;
}

static void end(void)
{
	virt = gv_virt_close(virt);
	tree_done();
}

static int give(const char *token, enum gv_virt_how *how, struct gv_err *err)
{
	struct gv_glue_fn fn = {.bdf = vf0, .is_vf = true, .iommu_group = 40, .pf = {0, 3, 0, 0}};
	struct gv_virt_attach a = {.domain = NAME, .vf = &fn, .vf_token = token, .link_dir = links};

	a.flags = GV_VIRT_LIVE;
	return gv_virt_attach(virt, &a, how, err);
}

static int take(unsigned flags, unsigned timeout_ms, bool *destroyed, struct gv_err *err)
{
	return gv_virt_detach(virt, NAME, &vf0, GV_VIRT_LIVE | flags, timeout_ms, destroyed, err);
}

static void without_token_it_is_a_hostdev(void)
{
	enum gv_virt_how how = GV_VIRT_MONITOR;
	bool destroyed = true;
	struct gv_err err;

	begin(QEMU_7_2);
	CU_ASSERT_EQUAL_FATAL(give(NULL, &how, &err), 0);
	CU_ASSERT_EQUAL(how, GV_VIRT_HOSTDEV);
	CU_ASSERT_PTR_NOT_NULL(strstr(guest.hostdev, "managed=\"no\""));
	CU_ASSERT_EQUAL(give(NULL, &how, &err), -EEXIST);
	CU_ASSERT_EQUAL(take(0, 1000, &destroyed, &err), 0);
	CU_ASSERT(!destroyed);
	CU_ASSERT_EQUAL(take(0, 1000, &destroyed, &err), -ENOENT);
	end();
}

static void with_token_an_old_qemu_is_told_by_monitor(void)
{
	gv_auto_free struct gv_virt_vf *vfs = NULL;
	enum gv_virt_how how = GV_VIRT_HOSTDEV;
	struct gv_err err;
	size_t count = 0;

	begin(QEMU_7_2);
	CU_ASSERT_EQUAL_FATAL(give(TOKEN, &how, &err), 0);
	CU_ASSERT_EQUAL(how, GV_VIRT_MONITOR);
	CU_ASSERT_PTR_NOT_NULL(strstr(guest.command, "\"sysfsdev\""));
	CU_ASSERT_PTR_NULL(strstr(guest.command, "\"host\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(guest.command, "\"bus\":\"pci.1\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(guest.notes, "bus=\"pci.1\""));
	CU_ASSERT_EQUAL(gv_virt_list(virt, &vfs, &count, &err), 0);
	CU_ASSERT_EQUAL_FATAL(count, 1);
	CU_ASSERT(vfs[0].live && !vfs[0].config && vfs[0].how == GV_VIRT_MONITOR);
	CU_ASSERT_EQUAL(give(TOKEN, &how, &err), -EEXIST);
	CU_ASSERT_EQUAL(take(0, 1000, NULL, &err), 0);
	CU_ASSERT_STRING_EQUAL(guest.notes, "");
	end();
}

static void a_newer_qemu_has_a_property(void)
{
	enum gv_virt_how how = GV_VIRT_HOSTDEV;
	struct gv_err err;

	begin(QEMU_8_1);
	CU_ASSERT_EQUAL_FATAL(give(TOKEN, &how, &err), 0);
	CU_ASSERT_EQUAL(how, GV_VIRT_MONITOR);
	CU_ASSERT_PTR_NOT_NULL(strstr(guest.command, "\"vf-token\":\"" TOKEN "\""));
	CU_ASSERT_PTR_NOT_NULL(strstr(guest.command, "\"host\":\"0000:03:02.0\""));
	end();
}

/* Only a QEMU that knows the property can have been started with it. */
static void a_global_token_makes_it_a_hostdev(void)
{
	static const char global[] =
	        "<q:commandline xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>"
	        "<q:arg value='-global'/><q:arg value='vfio-pci.vf-token=" TOKEN "'/>"
	        "</q:commandline>";
	enum gv_virt_how how = GV_VIRT_MONITOR;
	struct gv_err err;

	begin(QEMU_8_1);
	guest.extra = global;
	CU_ASSERT_EQUAL_FATAL(give(TOKEN, &how, &err), 0);
	CU_ASSERT_EQUAL(how, GV_VIRT_HOSTDEV);
	end();
}

static void a_refusal_is_told_without_the_token_and_leaves_no_note(void)
{
	enum gv_virt_how how;
	struct gv_err err;

	begin(QEMU_7_2);
	guest.refuse_add = true;
	CU_ASSERT_EQUAL(give(TOKEN, &how, &err), -EIO);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "device_add: QEMU: vfio x"));
	CU_ASSERT_PTR_NULL(strstr(err.text, TOKEN));
	CU_ASSERT_STRING_EQUAL(guest.notes, "");
	/* nor a part of it, where the text is cut off */
	for (guest.pad = 200; guest.pad < 400; guest.pad++) {
		CU_ASSERT_EQUAL(give(TOKEN, &how, &err), -EIO);
		CU_ASSERT_PTR_NULL(strstr(err.text, "0011"));
	}
	end();
}

static void a_guest_that_boots_is_asked_again(void)
{
	struct gv_err err;

	begin(QEMU_7_2);
	CU_ASSERT_EQUAL_FATAL(give(NULL, NULL, &err), 0);
	guest.lets_go_after = 2;
	CU_ASSERT_EQUAL(take(0, 10000, NULL, &err), 0);
	CU_ASSERT_EQUAL(guest.presses, 2);
	end();
}

static void a_guest_that_never_lets_go_is_left_alone_or_destroyed(void)
{
	bool destroyed = false;
	struct gv_err err;

	begin(QEMU_7_2);
	CU_ASSERT_EQUAL_FATAL(give(TOKEN, NULL, &err), 0);
	guest.lets_go_after = 0;
	CU_ASSERT_EQUAL(take(0, 200, &destroyed, &err), -ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "200 ms"));
	CU_ASSERT(!destroyed);
	CU_ASSERT_EQUAL(take(GV_VIRT_FORCE, 200, &destroyed, &err), 0);
	CU_ASSERT(destroyed);
	end();
}

/* A device that does not answer keeps QEMU, and QEMU keeps libvirt. */
static void a_call_that_hangs_is_left_behind(void)
{
	struct gv_glue_fn fn = {.bdf = vf0, .is_vf = true, .iommu_group = 40, .pf = {0, 3, 0, 0}};
	struct gv_virt_attach a = {.domain = NAME, .vf = &fn, .flags = GV_VIRT_LIVE};
	uint64_t start = gv_now_ns();
	struct gv_err err;

	begin(QEMU_7_2);
	guest.hangs = true;
	a.timeout_ms = 50;
	CU_ASSERT_EQUAL(gv_virt_attach(virt, &a, NULL, &err), -ETIMEDOUT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "no answer for 50 ms"));
	CU_ASSERT(gv_now_ns() - start < 290 * GV_MS);
	(void)usleep(400000); /* it must come back to memory that is still there */
	end();
}

static void qemu_that_answers_nonsense_is_refused(void)
{
	static const char *const bad[] = {"",
	                                  "x",
	                                  "{}",
	                                  "[]",
	                                  "null",
	                                  "{\"return\":{}}",
	                                  "{\"return\":{\"qemu\":7}}",
	                                  "{\"return\":{\"qemu\":{\"major\":-1}}}"};
	struct gv_err err;

	for (size_t i = 0; i < GV_ARRAY_LEN(bad); i++) {
		begin(bad[i]);
		CU_ASSERT_EQUAL(give(TOKEN, NULL, &err), -EPROTO);
		CU_ASSERT_STRING_EQUAL(guest.command, "");
		end();
	}
}

/* ---- the watch's cache ------------------------------------------------------ */
#define HOSTDEV(slot)                                                                              \
	"<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='3' slot='" slot     \
	"' function='0'/></source></hostdev>"
#define UUID "6695eb01-f6a4-8304-79aa-97f2502e193f" /* of the test driver's domain */

static char told[1024];

static void tell(void *arg, const struct gv_virt_event *e)
{
	size_t n = strlen(told);

	(void)arg;
	(void)snprintf(told + n, sizeof(told) - n, "%s %s %u;", gv_virt_event_name(e->kind),
	               e->domain, e->has_bdf ? e->bdf.slot : 0u);
}

/* Between list and second look a VF goes and another comes: both are in use until the end is told,
 * which must name both; else one would be in use for ever, and the other never. */
static void what_changes_while_it_is_read_is_told(void)
{
	struct gv_virt_record stopped = {.kind = GV_VIRT_REC_STOPPED, .domain = NAME, .uuid = UUID};
	struct gv_virt_cache cache = {.tell = tell};

	begin(QEMU_7_2);
	told[0] = '\0';
	cache.virt = virt;
	strcpy(guest.hostdev, HOSTDEV("2"));
	guest.next = HOSTDEV("3");
	guest.reads = 0;
	CU_ASSERT_EQUAL(gv_virt_cache_sync(&cache, NULL), 0);
	CU_ASSERT_STRING_EQUAL(told, "in-use test 3;in-use test 2;synced  0;");
	told[0] = '\0';
	CU_ASSERT_EQUAL(gv_virt_cache_handle(&cache, &stopped, NULL), 0);
	CU_ASSERT_STRING_EQUAL(told, "domain-stopped test 3;domain-stopped test 2;");
	gv_virt_cache_clear(&cache);
	end();
}

/* Its definition's metadata changes: nobody uses what a definition has. */
static void a_domain_that_does_not_run_uses_nothing(void)
{
	struct gv_virt_record changed = {.kind = GV_VIRT_REC_CHANGED, .domain = "idle"};
	struct gv_virt_cache cache = {.tell = tell};
	virDomainPtr d;

	begin(QEMU_7_2);
	told[0] = '\0';
	cache.virt = virt;
	d = virDomainDefineXML(virt->conn,
	                       "<domain type='test'><name>idle</name><memory>65536</memory>"
	                       "<os><type>hvm</type></os><devices>" HOSTDEV("2") "</devices>"
	                                                                         "</domain>");
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	CU_ASSERT_EQUAL(virDomainGetUUIDString(d, changed.uuid), 0);
	CU_ASSERT_EQUAL(gv_virt_cache_handle(&cache, &changed, NULL), 0);
	CU_ASSERT_STRING_EQUAL(told, "");
	gv_virt_cache_clear(&cache);
	(void)virDomainFree(d);
	end();
}

UT_MAIN("virt_live", UT(what_changes_while_it_is_read_is_told),
        UT(a_domain_that_does_not_run_uses_nothing), UT(without_token_it_is_a_hostdev),
        UT(with_token_an_old_qemu_is_told_by_monitor), UT(a_newer_qemu_has_a_property),
        UT(a_global_token_makes_it_a_hostdev),
        UT(a_refusal_is_told_without_the_token_and_leaves_no_note),
        UT(a_guest_that_boots_is_asked_again), UT(a_call_that_hangs_is_left_behind),
        UT(qemu_that_answers_nonsense_is_refused),
        UT(a_guest_that_never_lets_go_is_left_alone_or_destroyed))
