// Preloaded into the real binary by a test: after SIGUSR2 the allocation number FAIL_AT of the thread named
// FAIL_THREAD fails, once, and standard error says both. malloc serves operator new, and C libraries alike.
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static atomic_int armed;
static atomic_long left;
static char thread_name[16];
static __thread int is_ours;  // 0: not asked yet, 1: yes, -1: no

static void say(const char *what) {
  ssize_t ignored = write(STDERR_FILENO, what, strlen(what));
  (void)ignored;
}

static void arm(int signal) {
  (void)signal;
  armed = 1;
  say("failing_malloc: armed\n");
}

__attribute__((constructor)) static void begin(void) {
  const char *name = getenv("FAIL_THREAD");
  const char *at = getenv("FAIL_AT");
  if (!name || !at) return;
  strncpy(thread_name, name, sizeof thread_name - 1);
  left = atol(at);
  signal(SIGUSR2, arm);
}

static int fails(void) {
  if (!armed) return 0;
  if (is_ours == 0) {
    char name[16] = "";
    prctl(PR_GET_NAME, name);
    is_ours = strcmp(name, thread_name) == 0 ? 1 : -1;
  }
  if (is_ours < 0 || --left != 0) return 0;
  say("failing_malloc: failed\n");
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
