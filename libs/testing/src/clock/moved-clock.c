/*
 * Preloaded (LD_PRELOAD) into stores and services by moved-clock.ts: the time of day they are told is the machine's plus a number
 * of nanoseconds, which lies in the file that LETHE_CLOCK names and may change under way. Every process sees a change at once and
 * together, because the file is mapped. Clocks that only measure how long something takes go as they go.
 *
 * Not covered: pthread_cond_timedwait on a condition with the time of day as its clock. libuv, V8 and the JVM wait on the monotonic
 * clock; what they wait for by the time of day (LockSupport.parkUntil) does not occur in what is tested.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define SECOND 1000000000LL

static const volatile int64_t *moved;

__attribute__((constructor)) static void map_moved(void) {
  const char *file = getenv("LETHE_CLOCK");
  int descriptor = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  if (descriptor < 0) return;
  void *page = mmap(NULL, sizeof *moved, PROT_READ, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (page != MAP_FAILED) moved = page;
}

static void shift(struct timespec *at, int64_t by) {
  int64_t nanoseconds = at->tv_nsec + by % SECOND;
  at->tv_sec += by / SECOND;
  if (nanoseconds >= SECOND) {
    nanoseconds -= SECOND;
    at->tv_sec += 1;
  } else if (nanoseconds < 0) {
    nanoseconds += SECOND;
    at->tv_sec -= 1;
  }
  at->tv_nsec = nanoseconds;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
  int result = syscall(SYS_clock_gettime, clock, at);
  if (result == 0 && moved && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) shift(at, *moved);
  return result;
}

int gettimeofday(struct timeval *at, void *zone) {
  struct timespec now;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  if (clock_gettime(CLOCK_REALTIME, &now) != 0) return -1;
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}

/* The kernel knows nothing of our time. */
int sem_timedwait(sem_t *semaphore, const struct timespec *until) {
  static int (*kernels)(sem_t *, const struct timespec *);
  struct timespec real = *until;
  if (!kernels) kernels = (int (*)(sem_t *, const struct timespec *))dlsym(RTLD_NEXT, "sem_timedwait");
  if (moved) shift(&real, -*moved);
  return kernels(semaphore, &real);
}
