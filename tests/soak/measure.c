/*
 * measure.c - what the process holds: resident memory, descriptors, blocks of the library.
 * Source: proc(5).
 */
#include "base/alloc.h"
#include "dispatch/data.h"
#include "soak.h"
#include <dirent.h>
#include <malloc.h>
#include <unistd.h>

static double resident(void) {
    unsigned long size = 0, pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL)
        abort();
    if (fscanf(file, "%lu %lu", &size, &pages) != 2)
        abort();
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* The entries of a folder of proc(5) that are numbers. */
static unsigned count_entries(const char *path) {
    unsigned count = 0;
    DIR *directory = opendir(path);
    if (directory == NULL)
        abort();
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.';
    closedir(directory);
    return count;
}

struct measure measure_now(void) {
    return (struct measure){
        .resident = resident(),
        .heap = (double)mallinfo2().uordblks,
        .descriptors = count_entries("/proc/self/fd") - 1, /* the folder itself was one */
        .threads = count_entries("/proc/self/task"),
        .blocks = nwi_alloc_live(),
    };
}

/* The pool of receive buffers keeps more or fewer of them, up to a bound of its own. And malloc
 * keeps what was freed, in as many arenas as there were threads at once: that grows towards a
 * plateau of its own, whoever uses it. What is left when both gave back what they could is ours. */
struct measure measure_quiet(void) {
    double before = resident();
    nwi_data_pool_drain();
    malloc_trim(0);
    struct measure measure = measure_now();
    measure.untrimmed = before;
    return measure;
}

double measure_slope(const double *y, unsigned count) {
    double sum_x = 0, sum_y = 0, sum_xy = 0, sum_xx = 0, n = count;
    for (unsigned i = 0; i < count; i++) {
        sum_x += i;
        sum_y += y[i];
        sum_xy += i * y[i];
        sum_xx += (double)i * i;
    }
    double below = n * sum_xx - sum_x * sum_x;
    return below > 0 ? (n * sum_xy - sum_x * sum_y) / below : 0;
}
