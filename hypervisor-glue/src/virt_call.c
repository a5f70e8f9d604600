/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <string.h>

#include "virt.h"

struct call {
	const struct gv_virt_ops *ops;
	virDomainPtr domain; /* a reference of ours */
	char name[GV_VIRT_NAME];
	char *text, *reply;
	char **out;
};

static void release(void *arg)
{
	struct call *c = arg;

	(void)virDomainFree(c->domain);
	free(c->text);
	free(c->reply);
	free(c);
}

static int run_attach(void *arg, struct gv_err *err)
{
	struct call *c = arg;

	if (c->ops->attach(c->domain, c->text, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return gv_virt_fail(err, "domain %s: attach", c->name);
	return 0;
}

static int run_detach(void *arg, struct gv_err *err)
{
	struct call *c = arg;

	if (c->ops->detach(c->domain, c->text, VIR_DOMAIN_AFFECT_LIVE) < 0)
		return gv_virt_fail(err, "domain %s: detach %s", c->name, c->text);
	return 0;
}

static int run_monitor(void *arg, struct gv_err *err)
{
	struct call *c = arg;

	if (c->ops->monitor(c->domain, c->text, &c->reply, 0) < 0)
		return gv_virt_fail(err, "domain %s: QEMU's monitor", c->name);
	return 0;
}

static void take_reply(void *arg)
{
	struct call *c = arg;

	*c->out = GV_TAKE(c->reply);
}

static int call(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *text,
                const struct gv_virt_call *how, char **reply, unsigned timeout_ms,
                struct gv_err *err)
{
	struct call *c = calloc(1, sizeof(*c));

	if (!c || !(c->text = strdup(text))) {
		free(c);
		return gv_fail(err, -ENOMEM, "out of memory");
	}
	if (virDomainRef(domain->domain) < 0) {
		free(c->text);
		free(c);
		return gv_virt_fail(err, "domain %s", domain->name);
	}
	c->ops = virt->ops;
	c->domain = domain->domain;
	c->out = reply;
	memcpy(c->name, domain->name, sizeof(c->name));
	return gv_virt_bounded(how, c, timeout_ms, err);
}

int gv_virt_call_attach(struct gv_virt *virt, const struct gv_virt_domain *domain, const char *xml,
                        unsigned timeout_ms, struct gv_err *err)
{
	static const struct gv_virt_call how = {"attach", run_attach, NULL, release};

	return call(virt, domain, xml, &how, NULL, timeout_ms, err);
}

int gv_virt_call_detach(struct gv_virt *virt, const struct gv_virt_domain *domain,
                        const char *alias, unsigned timeout_ms, struct gv_err *err)
{
	static const struct gv_virt_call how = {"detach", run_detach, NULL, release};

	return call(virt, domain, alias, &how, NULL, timeout_ms, err);
}

int gv_virt_call_monitor(struct gv_virt *virt, const struct gv_virt_domain *domain,
                         const char *command, char **reply, unsigned timeout_ms, struct gv_err *err)
{
	static const struct gv_virt_call how = {"QEMU's monitor", run_monitor, take_reply, release};

	return call(virt, domain, command, &how, reply, timeout_ms, err);
}
