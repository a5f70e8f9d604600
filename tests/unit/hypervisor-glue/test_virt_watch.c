/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libvirt's test driver starts and stops domains and tells of it, as QEMU's does. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <libvirt/libvirt.h>

#include <ut.h>
#include <virt_watch.h>

#define WAIT_S 20

static struct {
	pthread_mutex_t lock;
	pthread_cond_t cond;
	char text[4096]; /* "kind domain address text;" */
} heard = {.lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER};

static void listen_to(void *arg, const struct gv_virt_event *e)
{
	char at[GV_GLUE_BDF_TEXT] = "-";
	size_t n;

	(void)arg;
	if (e->has_bdf)
		gv_glue_bdf_format(&e->bdf, at);
	(void)pthread_mutex_lock(&heard.lock);
	n = strlen(heard.text);
	(void)snprintf(heard.text + n, sizeof(heard.text) - n, "%s %s %s %s;",
	               gv_virt_event_name(e->kind), e->domain, at, e->text);
	(void)pthread_cond_broadcast(&heard.cond);
	(void)pthread_mutex_unlock(&heard.lock);
}

/* Whether @what is heard in time. */
static bool hear(const char *what)
{
	struct timespec end;
	bool found;
	int rc = 0;

	(void)clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += WAIT_S;
	(void)pthread_mutex_lock(&heard.lock);
	while (!(found = strstr(heard.text, what) != NULL) && !rc)
		rc = pthread_cond_timedwait(&heard.cond, &heard.lock, &end);
	if (!found)
		printf("\nheard only: %s\n", heard.text);
	(void)pthread_mutex_unlock(&heard.lock);
	return found;
}

static struct gv_virt *virt;
static struct gv_virt_watch *watch;

static virDomainPtr define(const char *name, const char *devices)
{
	char xml[1024];
	virDomainPtr d;

	(void)snprintf(xml, sizeof(xml),
	               "<domain type='test'><name>%s</name><memory>65536</memory>"
	               "<os><type>hvm</type></os><devices>%s</devices></domain>",
	               name, devices);
	d = virDomainDefineXML(virt->conn, xml);
	CU_ASSERT_PTR_NOT_NULL_FATAL(d);
	return d;
}

#define FUNCTION(slot)                                                                             \
	"<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0' bus='3' "  \
	"slot='" slot "' function='0'/></source></hostdev>"

static void begin(void)
{
	heard.text[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(gv_virt_open("test:///default", NULL, &virt, NULL), 0);
}

static void look(void)
{
	CU_ASSERT_EQUAL_FATAL(
	        gv_virt_watch_start("test:///default", NULL, NULL, listen_to, &watch, NULL), 0);
	CU_ASSERT(hear("connected"));
	CU_ASSERT(hear("synced"));
}

static void end(void)
{
	watch = gv_virt_watch_stop(watch);
	CU_ASSERT_PTR_NULL(watch);
	virt = gv_virt_close(virt);
}

static void each_function_of_a_domain_is_named(void)
{
	virDomainPtr d;

	begin();
	d = define("a", FUNCTION("2") FUNCTION("3"));
	look();
	CU_ASSERT_EQUAL(virDomainCreate(d), 0);
	CU_ASSERT(hear("domain-started a 0000:03:02.0 ;domain-started a 0000:03:03.0 ;"));
	CU_ASSERT_EQUAL(virDomainDestroy(d), 0);
	CU_ASSERT(hear("domain-stopped a 0000:03:02.0 destroyed;"
	               "domain-stopped a 0000:03:03.0 destroyed;"));
	CU_ASSERT_EQUAL(virDomainUndefine(d), 0);
	CU_ASSERT(hear("domain-undefined a - ;"));
	(void)virDomainFree(d);
	end();
}

static void what_ran_before_is_in_use_before_synced(void)
{
	virDomainPtr d;

	begin();
	d = define("b", FUNCTION("4"));
	CU_ASSERT_EQUAL(virDomainCreate(d), 0);
	look();
	CU_ASSERT(hear("connected  - ;in-use b 0000:03:04.0 ;synced  - ;"));
	CU_ASSERT_EQUAL(virDomainShutdown(d), 0);
	CU_ASSERT(hear("domain-stopped b 0000:03:04.0 shutdown;"));
	CU_ASSERT_EQUAL(virDomainUndefine(d), 0);
	(void)virDomainFree(d);
	end();
}

static void a_domain_without_functions_is_one_event(void)
{
	virDomainPtr d;

	begin();
	d = define("c", "");
	look();
	CU_ASSERT_EQUAL(virDomainCreate(d), 0);
	CU_ASSERT(hear("domain-started c - ;"));
	CU_ASSERT_EQUAL(virDomainDestroy(d), 0);
	CU_ASSERT(hear("domain-stopped c - destroyed;"));
	CU_ASSERT_EQUAL(virDomainUndefine(d), 0);
	(void)virDomainFree(d);
	end();
}

static void nothing_is_heard_after_the_stop(void)
{
	virDomainPtr d;
	size_t n;

	begin();
	d = define("e", FUNCTION("5"));
	look();
	watch = gv_virt_watch_stop(watch);
	n = strlen(heard.text);
	CU_ASSERT_EQUAL(virDomainCreate(d), 0);
	CU_ASSERT_EQUAL(virDomainDestroy(d), 0);
	CU_ASSERT_EQUAL(virDomainUndefine(d), 0);
	(void)usleep(50000);
	CU_ASSERT_EQUAL(strlen(heard.text), n);
	(void)virDomainFree(d);
	end();
}

/* Nobody there: it keeps trying, tells nothing, and still ends at once. */
static void a_libvirtd_that_is_not_there_is_waited_for(void)
{
	uint64_t start = gv_now_ns();

	heard.text[0] = '\0';
	CU_ASSERT_EQUAL_FATAL(gv_virt_watch_start("qemu+unix:///system?socket=/nonexistent/sock",
	                                          NULL, NULL, listen_to, &watch, NULL),
	                      0);
	(void)usleep(350000);
	watch = gv_virt_watch_stop(watch);
	CU_ASSERT(gv_now_ns() - start < 4 * GV_S);
	CU_ASSERT_STRING_EQUAL(heard.text, "");
	CU_ASSERT_PTR_NULL(gv_virt_watch_stop(NULL));
}

/* A socket that takes connections and never says a word. */
static int listen_silently(const char *path)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	CU_ASSERT_FATAL(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 4));
	return fd;
}

static void a_libvirtd_that_hangs_does_not_hold_the_stop(void)
{
	char dir[] = "/tmp/gv-virt-XXXXXX", path[64], uri[128];
	uint64_t start = gv_now_ns();
	int fd;

	heard.text[0] = '\0';
	CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/sock", dir);
	(void)snprintf(uri, sizeof(uri), "qemu+unix:///system?socket=%s", path);
	fd = listen_silently(path);
	CU_ASSERT_EQUAL_FATAL(gv_virt_watch_start(uri, NULL, NULL, listen_to, &watch, NULL), 0);
	(void)usleep(200000);
	watch = gv_virt_watch_stop(watch);
	CU_ASSERT(gv_now_ns() - start > 4 * GV_S && gv_now_ns() - start < 9 * GV_S);
	(void)close(fd); /* its thread is told so, and tidies up behind us */
	(void)usleep(500000);
	CU_ASSERT_STRING_EQUAL(heard.text, "");
	(void)unlink(path);
	(void)rmdir(dir);
}

static void every_kind_has_a_name(void)
{
	CU_ASSERT_STRING_EQUAL(gv_virt_event_name(GV_VIRT_CONNECTED), "connected");
	CU_ASSERT_STRING_EQUAL(gv_virt_event_name(GV_VIRT_DOMAIN_STOPPED), "domain-stopped");
	CU_ASSERT_STRING_EQUAL(gv_virt_event_name((enum gv_virt_event_kind)99), "unknown");
	CU_ASSERT_STRING_EQUAL(gv_virt_event_name((enum gv_virt_event_kind) - 1), "unknown");
}

UT_MAIN("virt_watch", UT(each_function_of_a_domain_is_named),
        UT(what_ran_before_is_in_use_before_synced), UT(a_domain_without_functions_is_one_event),
        UT(nothing_is_heard_after_the_stop), UT(a_libvirtd_that_is_not_there_is_waited_for),
        UT(a_libvirtd_that_hangs_does_not_hold_the_stop), UT(every_kind_has_a_name))
