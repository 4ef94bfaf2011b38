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

static unsigned descriptors(void) {
    unsigned count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL)
        abort();
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;)
        count += entry->d_name[0] != '.' && atoi(entry->d_name) != dirfd(directory);
    closedir(directory);
    return count;
}

/* The pool of receive buffers keeps more or fewer of them, up to a bound of its own. */
struct measure measure_quiet(bool trim) {
    nwi_data_pool_drain();
    if (trim)
        malloc_trim(0);
    return measure_now();
}

struct measure measure_now(void) {
    return (struct measure){resident(), descriptors(), nwi_alloc_live()};
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
