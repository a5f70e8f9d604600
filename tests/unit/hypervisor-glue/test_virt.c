/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* With libvirt's test driver: domains, definitions, events are real; hot plug is what it lacks. */
#include <sys/stat.h>

#include <libvirt/libvirt.h>

#include <gv/binding.h>
#include <virt.h>

#include "tree.h"

#define TOKEN  "00112233-4455-6677-8899-aabbccddeeff"
#define TOKEN2 "ffeeddcc-bbaa-9988-7766-554433221100"

static struct gv_virt *virt;
static char links[96];

static const struct gv_glue_bdf vf0 = {0, 3, 2, 0};

static struct gv_glue_fn vf(unsigned i)
{
	return (struct gv_glue_fn){.bdf = {0, 3, 2, (uint8_t)i},
	                           .is_vf = true,
	                           .vf_index = (int)i,
	                           .iommu_group = 40 + (int)i,
	                           .pf = {0, 3, 0, 0}};
}

static void define(const char *name)
{
	char xml[256];

	(void)snprintf(xml, sizeof(xml),
	               "<domain type='test'><name>%s</name><memory>65536</memory>"
	               "<os><type>hvm</type></os></domain>",
	               name);
	CU_ASSERT_EQUAL_FATAL(gv_virt_define(virt, xml, NULL), 0);
}

static void begin(void)
{
	tree_make(2);
	(void)snprintf(links, sizeof(links), "%s/links", tree);
	CU_ASSERT_EQUAL_FATAL(gv_virt_open("test:///default", NULL, &virt, NULL), 0);
	define("a");
	define("b");
}

static void end(void)
{
	virt = gv_virt_close(virt);
	tree_done();
}

static int attach(const char *domain, unsigned i, const char *token, unsigned flags,
                  struct gv_err *err)
{
	struct gv_glue_fn fn = vf(i);
	struct gv_virt_attach a = {.domain = domain, .vf = &fn, .vf_token = token};

	a.link_dir = links;
	a.managed = true;
	a.flags = flags;
	return gv_virt_attach(virt, &a, NULL, err);
}

/* The one that @domain has, or a FATAL. */
static struct gv_virt_vf the_vf(const char *domain)
{
	gv_auto_free struct gv_virt_vf *vfs = NULL;
	struct gv_virt_vf found = {.how = GV_VIRT_MONITOR};
	unsigned n = 0;
	size_t count = 0;

	CU_ASSERT_EQUAL(gv_virt_list(virt, &vfs, &count, NULL), 0);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(vfs[i].domain, domain)) {
			found = vfs[i];
			n++;
		}
	CU_ASSERT_EQUAL(n, 1);
	return found;
}

static void a_definition_gets_a_vf_and_loses_it(void)
{
	struct gv_err err;
	struct gv_virt_vf has;

	begin();
	CU_ASSERT_EQUAL_FATAL(attach("a", 0, NULL, GV_VIRT_CONFIG, &err), 0);
	has = the_vf("a");
	CU_ASSERT(gv_virt_same_bdf(&has.bdf, &vf0));
	CU_ASSERT(has.config && !has.live && has.managed && !has.running);
	CU_ASSERT_EQUAL(has.how, GV_VIRT_HOSTDEV);
	CU_ASSERT_EQUAL(gv_virt_detach(virt, has.uuid, &vf0, 0, 100, NULL, &err), 0);
	CU_ASSERT_EQUAL(gv_virt_detach(virt, "a", &vf0, GV_VIRT_CONFIG, 100, NULL, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "0000:03:02.0"));
	end();
}

static void a_vf_is_in_one_definition(void)
{
	struct gv_err err;

	begin();
	CU_ASSERT_EQUAL_FATAL(attach("a", 0, NULL, GV_VIRT_CONFIG, &err), 0);
	CU_ASSERT_EQUAL(attach("a", 0, NULL, GV_VIRT_CONFIG, &err), -EEXIST);
	CU_ASSERT_EQUAL(attach("b", 0, NULL, GV_VIRT_CONFIG, &err), -EBUSY);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "domain a"));
	CU_ASSERT_EQUAL(attach("b", 1, NULL, GV_VIRT_CONFIG, &err), 0);
	end();
}

static void what_cannot_be_says_why(void)
{
	struct gv_virt *v = NULL;
	struct gv_glue_fn fn = vf(0);
	struct gv_virt_attach a = {.domain = "a", .vf = &fn};
	struct gv_err err;
	char *xml;

	begin();
	CU_ASSERT_EQUAL(gv_virt_open("nobody:///x", NULL, &v, &err), -ECONNREFUSED);
	CU_ASSERT_PTR_NULL(v);
	CU_ASSERT_EQUAL(attach("nobody", 0, NULL, GV_VIRT_CONFIG, &err), -ENOENT);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nobody"));
	CU_ASSERT_EQUAL(attach("a", 0, "no-uuid", GV_VIRT_CONFIG, &err), -EINVAL);
	CU_ASSERT_EQUAL(attach("a", 0, NULL, GV_VIRT_LIVE, &err), -EINVAL);
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "does not run"));
	/* the test driver's own domain runs, and cannot be plugged into */
	CU_ASSERT_EQUAL(attach("test", 0, NULL, GV_VIRT_LIVE, &err), -ENOTSUP);
	CU_ASSERT_EQUAL(attach("test", 0, TOKEN, GV_VIRT_LIVE, &err), -ENOTSUP);
	CU_ASSERT_PTR_NULL(strstr(err.text, TOKEN));
	fn.is_vf = false;
	CU_ASSERT_EQUAL(gv_virt_attach(virt, &a, NULL, &err), -EINVAL);
	CU_ASSERT_EQUAL(gv_virt_nodedev_xml(virt, &vf0, &xml, &err), -ENOENT);
	CU_ASSERT_PTR_NULL(gv_virt_close(NULL));
	end();
}

/* A definition that was changed, and a running domain that then cannot be: back to what it was. */
static void half_done_is_taken_back(void)
{
	gv_auto_free struct gv_virt_vf *vfs = NULL;
	struct gv_err err;
	size_t count = 7;

	begin();
	CU_ASSERT_EQUAL(attach("test", 0, NULL, GV_VIRT_LIVE | GV_VIRT_CONFIG, &err), -ENOTSUP);
	CU_ASSERT_EQUAL(gv_virt_list(virt, &vfs, &count, &err), 0);
	CU_ASSERT_EQUAL(count, 0);
	end();
}

static bool link_is_there(const char *token)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/0000:03:02.0 vf_token=%s", links, token);
	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* The test driver's QEMU is version 2, so that the token travels as a link. It keeps no
 * qemu:override in a definition: what we give to it is checked in test_virt_xml. */
static void the_token_of_an_old_qemu_is_a_link(void)
{
	gv_auto_free char *one = NULL, *two = NULL;
	const char *name;
	struct gv_err err;

	begin();
	CU_ASSERT_EQUAL_FATAL(
	        gv_virt_token_property(7002022, &vf0, TOKEN, links, &name, &one, &err), 0);
	CU_ASSERT_STRING_EQUAL(name, "sysfsdev");
	CU_ASSERT(link_is_there(TOKEN));
	CU_ASSERT_PTR_NOT_NULL(strstr(one, "/0000:03:02.0 vf_token=" TOKEN));
	free(one);
	CU_ASSERT_EQUAL(gv_virt_token_property(7002022, &vf0, TOKEN2, links, &name, &one, &err), 0);
	CU_ASSERT(!link_is_there(TOKEN) && link_is_there(TOKEN2));
	CU_ASSERT_EQUAL(gv_virt_token_property(8001000, &vf0, TOKEN, links, &name, &two, &err), 0);
	CU_ASSERT_STRING_EQUAL(name, "vf-token");
	CU_ASSERT_STRING_EQUAL(two, TOKEN);
	CU_ASSERT_EQUAL(gv_virt_token_property(1, &vf0, TOKEN, "relative", &name, &two, &err),
	                -EINVAL);
	end();
}

/* Names in it are tokens: who can list it opens every VF. */
static void links_are_never_in_a_directory_that_others_list(void)
{
	gv_auto_free char *value = NULL;
	const char *name;
	struct stat st;
	mode_t old;

	begin();
	CU_ASSERT_EQUAL_FATAL(mkdir(links, 0777), 0);
	CU_ASSERT_EQUAL_FATAL(chmod(links, 0777), 0);
	CU_ASSERT_EQUAL(gv_virt_token_property(7002022, &vf0, TOKEN, links, &name, &value, NULL),
	                0);
	CU_ASSERT(!stat(links, &st) && (st.st_mode & 07777) == 0711);
	free(GV_TAKE(value));
	CU_ASSERT_EQUAL(chmod(links, 0700), 0); /* a strict umask: QEMU could not get through */
	old = umask(077);
	CU_ASSERT_EQUAL(gv_virt_token_property(7002022, &vf0, TOKEN, links, &name, &value, NULL),
	                0);
	(void)umask(old);
	CU_ASSERT(!stat(links, &st) && (st.st_mode & 07777) == 0711);
	end();
}

static void a_token_is_hidden_wherever_it_is(void)
{
	struct gv_err err;

	(void)gv_fail(&err, -EIO, "QEMU: /run/x/0000 vf_token=%s and %s", TOKEN, TOKEN);
	gv_virt_hide(&err, TOKEN);
	CU_ASSERT_PTR_NULL(strstr(err.text, "4455"));
	CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "QEMU: /run/x"));
}

/* libvirt quotes what it cannot use. Nor may half of a token be left where the text ends. */
static void a_token_in_what_libvirt_says_is_never_passed_on(void)
{
	char uri[500];
	struct gv_err err;

	begin();
	for (int n = 0; n < 400; n++) {
		(void)snprintf(uri, sizeof(uri), "nobody:///%0*d?vf_token=" TOKEN "\x7f", n, 0);
		CU_ASSERT_PTR_NULL_FATAL(virConnectOpen(uri));
		CU_ASSERT_EQUAL(gv_virt_fail(&err, "what"), -EIO);
		CU_ASSERT_PTR_NOT_NULL(strstr(err.text, "nobody:///"));
		CU_ASSERT_PTR_NULL(strstr(err.text, "0011"));
		CU_ASSERT_PTR_NULL(strchr(err.text, 0x7f));
	}
	end();
}

UT_MAIN("virt", UT(a_token_in_what_libvirt_says_is_never_passed_on),
        UT(a_definition_gets_a_vf_and_loses_it), UT(a_vf_is_in_one_definition),
        UT(what_cannot_be_says_why), UT(half_done_is_taken_back),
        UT(the_token_of_an_old_qemu_is_a_link), UT(links_are_never_in_a_directory_that_others_list),
        UT(a_token_is_hidden_wherever_it_is))
