/* What a host is told about its disk and its wall clock, where the kernel has no device mapper to
   lie about the one and no namespace to lie about the other. Loaded into every process of the cage;
   one that finds no file of lies for its own network is told the truth.

   fsync and fdatasync wait, or fail and write nothing; the wall clock is off. No other clock moves:
   none does when a person sets the wall clock. Whoever was lied to is counted in the same file. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct lies {
    int64_t clock_s, late_ms, failing; /* told */
    int64_t clocks, lates, failures;   /* met */
};

static struct lies *told;

__attribute__((constructor)) static void begin(void)
{
    struct stat network;
    char path[512];
    if (stat("/proc/self/ns/net", &network))
        return;
    snprintf(path, sizeof path, "%s/%llu", FOLDER, (unsigned long long)network.st_ino);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return;
    void *at = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (at != MAP_FAILED)
        told = at;
}

static int64_t what(int64_t *lie, int64_t *met)
{
    int64_t said = __atomic_load_n(lie, __ATOMIC_RELAXED);
    if (said)
        __atomic_fetch_add(met, 1, __ATOMIC_RELAXED);
    return said;
}

static int off(void)
{
    return told ? (int)what(&told->clock_s, &told->clocks) : 0;
}

static int flush(const char *name, int file)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, name);
    if (told) {
        int64_t late_ms = what(&told->late_ms, &told->lates);
        if (late_ms) {
            struct timespec rest = {late_ms / 1000, late_ms % 1000 * 1000000};
            while (nanosleep(&rest, &rest) && errno == EINTR)
                ;
        }
        if (what(&told->failing, &told->failures)) {
            errno = EIO;
            return -1;
        }
    }
    return real(file);
}

int fsync(int file)
{
    return flush("fsync", file);
}

int fdatasync(int file)
{
    return flush("fdatasync", file);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int wrong = real(clock, now);
    if (!wrong && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += off();
    return wrong;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    static int (*real)(struct timeval *, void *);
    if (!real)
        real = (int (*)(struct timeval *, void *))dlsym(RTLD_NEXT, "gettimeofday");
    int wrong = real(now, zone);
    if (!wrong)
        now->tv_sec += off();
    return wrong;
}

time_t time(time_t *now)
{
    struct timespec read;
    clock_gettime(CLOCK_REALTIME, &read);
    if (now)
        *now = read.tv_sec;
    return read.tv_sec;
}
