/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* gpuvisor top: the VFs as they are now, again every second, until q or Ctrl-C. */
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include <json-c/json.h>

#include "gpuvisor.h"

#define MAX_VFS    16
#define FRAME_NS   GV_S
#define MAX_BAR    40u
#define FIXED_COLS 94u /* all columns but the bar; the last ones may be cut off */

/* Counters of the frame before, to show rates. */
struct history {
	uint64_t at_ns, messages[MAX_VFS], faults[MAX_VFS], slices[MAX_VFS];
};

static volatile sig_atomic_t quit, resized;

static void on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		quit = 1;
}

/* ---- terminal ------------------------------------------------------------ */

struct terminal {
	struct termios was;
	unsigned cols, rows;
};

static void measure(struct terminal *t)
{
	struct winsize w;

	resized = 0;
	t->cols = 80;
	t->rows = 24;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &w) && w.ws_col && w.ws_row) {
		t->cols = w.ws_col;
		t->rows = w.ws_row;
	}
}

static int terminal_enter(struct terminal *t, struct gv_err *err)
{
	const struct sigaction sa = {.sa_handler = on_signal};
	struct termios raw;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &t->was))
		return gv_fail(err, -ENOTTY, "top needs a terminal: vf list and --json do not");
	for (const int *s = (const int[]){SIGINT, SIGTERM, SIGHUP, SIGWINCH, 0}; *s; s++)
		(void)sigaction(*s, &sa, NULL);
	raw = t->was;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	fputs("\033[?1049h\033[?25l", stdout); /* a screen of our own, no cursor */
	measure(t);
	return 0;
}

static void terminal_leave(const struct terminal *t)
{
	fputs("\033[?25h\033[?1049l", stdout);
	(void)fflush(stdout);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t->was);
}

/* One line of the frame, cut where the terminal ends. */
static void put_line(const struct terminal *t, const char *text)
{
	printf("%.*s\033[K\n", (int)t->cols, text);
}

/* ---- a frame ------------------------------------------------------------- */

static unsigned bar_width(const struct terminal *t)
{
	return t->cols > FIXED_COLS + 4 ? GV_MIN(t->cols - FIXED_COLS, MAX_BAR) : 4;
}

static void fill_bar(char *bar, unsigned width, uint64_t part, uint64_t whole)
{
	unsigned on = whole ? (unsigned)(GV_MIN(part, whole) * width / whole) : 0;

	memset(bar, '#', on);
	memset(bar + on, '.', width - on);
	bar[width] = '\0';
}

static double rate(uint64_t now, uint64_t before, uint64_t ns)
{
	return ns && now >= before ? (double)(now - before) * 1e9 / (double)ns : 0;
}

static void put_vf(const struct terminal *t, struct json_object *vf, struct history *h, uint64_t ns)
{
	unsigned i = (unsigned)GV_MIN(num(vf, "index"), (uint64_t)MAX_VFS - 1);
	unsigned width = bar_width(t);
	uint64_t fb = num(vf, "fb_mib"), used = num(get(vf, "guest"), "fb_usage_mib");
	uint64_t messages = num(vf, "messages"), faults = num(vf, "faults");
	struct json_object *slices = get(vf, "scheduler");
	char line[512], bar[MAX_BAR + 1];

	fill_bar(bar, width, used, fb);
	(void)snprintf(line, sizeof(line),
	               "%2u  %-8.8s  %-8.8s  %-9.9s  %6" PRIu64
	               " [%s]  %5.1f  %6.1f  %7.1f  %6" PRIu64 "  %7.1f  %6.0f",
	               i, shown_text(vf, "label"), shown_text(vf, "domain"),
	               shown_text(vf, "state"), fb, bar, (double)num(slices, "busy_permille") / 10,
	               rate(messages, h->messages[i], ns), rate(faults, h->faults[i], ns),
	               num(vf, "resets"), rate(num(slices, "slices"), h->slices[i], ns),
	               (double)num(slices, "switch_p50_ns") / 1e3);
	put_line(t, line);
	h->messages[i] = messages;
	h->slices[i] = num(slices, "slices");
	h->faults[i] = faults;
}

static void put_head(const struct terminal *t, struct json_object *status)
{
	unsigned width = bar_width(t);
	char line[512], clock[16];
	time_t now = time(NULL);
	struct tm tm;

	(void)strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&now, &tm));
	(void)snprintf(line, sizeof(line),
	               "%s  %s: %s, %" PRIu64 " MiB, %" PRIu64 " VFs, policy %s, %s", clock,
	               shown_text(status, "gpu"),
	               json_object_get_boolean(get(status, "lost")) ? "LOST" : "up",
	               num(get(status, "caps"), "vram_mib"), num(status, "num_vfs"),
	               shown_text(get(status, "scheduler"), "policy"), "q quits");
	put_line(t, line);
	put_line(t, "");
	(void)snprintf(line, sizeof(line),
	               "VF  %-8s  %-8s  %-9s  %6s %-*s  %5s  %6s  %7s  %6s  %7s  %6s", "LABEL",
	               "DOMAIN", "STATE", "MIB", (int)width + 2, "USED", "BUSY%", "MSG/S",
	               "FAULT/S", "RESETS", "SLICE/S", "SW US");
	put_line(t, line);
}

static int frame(struct client *c, struct terminal *t, struct history *h, struct gv_err *err)
{
	struct json_object *status = NULL, *vfs;
	uint64_t now = gv_now_ns(), ns = h->at_ns ? now - h->at_ns : 0;
	int rc = client_call(c, "status", NULL, NULL, &status, err);

	if (rc)
		return rc;
	h->at_ns = now;
	if (resized)
		measure(t);
	fputs("\033[H", stdout);
	put_head(t, status);
	vfs = get(status, "vfs");
	for (size_t i = 0; vfs && i < json_object_array_length(vfs) && i + 4 < t->rows; i++)
		put_vf(t, json_object_array_get_idx(vfs, i), h, ns);
	fputs("\033[J", stdout);
	(void)fflush(stdout);
	json_object_put(status);
	return 0;
}

/* Until the next frame is due, or a key or signal says otherwise. */
static void idle(void)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	char key = 0;

	if (poll(&in, 1, FRAME_NS / GV_MS) <= 0)
		return;
	if (read(STDIN_FILENO, &key, 1) <= 0 || key == 'q' || key == 'Q' || key == 4)
		quit = 1;
}

int run_top(struct cli *cli, char **args, struct gv_err *err)
{
	struct history h = {0};
	struct terminal t;
	struct client c;
	int rc = client_open(cli->socket, &c, err);

	(void)args;
	if (rc)
		return rc;
	rc = terminal_enter(&t, err);
	if (!rc) {
		while (!rc && !quit) {
			rc = frame(&c, &t, &h, err);
			if (!rc && !quit)
				idle();
		}
		terminal_leave(&t);
	}
	client_close(&c);
	return rc;
}
