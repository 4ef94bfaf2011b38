/*
 * driver.c - runs a fuzz target without libFuzzer.
 * What:   driver [-n RUNS] [-s SEED] [FILE|DIRECTORY]...: the files first, then RUNS inputs, half
 *         of them random and half mutations of the files. The seed is printed, so that a failure
 *         can be had again.
 */
#include "fuzz.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INPUT_MAX = 4096, CORPUS_MAX = 256 };
static struct input {
    uint8_t *bytes;
    size_t size;
} corpus[CORPUS_MAX];
static size_t corpus_count;

static uint64_t state; /* splitmix64 */
static uint64_t next_random(void) {
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

static void add_file(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "%s: %s\n", path, strerror(errno));
        exit(2);
    }
    uint8_t *bytes = malloc(INPUT_MAX);
    if (bytes == NULL)
        exit(2);
    size_t size = fread(bytes, 1, INPUT_MAX, file);
    fclose(file);
    LLVMFuzzerTestOneInput(bytes, size);
    if (corpus_count < CORPUS_MAX)
        corpus[corpus_count++] = (struct input){bytes, size};
    else
        free(bytes);
}

static void add_path(const char *path) {
    DIR *directory = opendir(path);
    if (directory == NULL) {
        add_file(path);
        return;
    }
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
        add_file(name);
    }
    closedir(directory);
}

static size_t make_input(uint8_t *bytes) {
    size_t size = next_random() % (next_random() % 8 == 0 ? INPUT_MAX : 128);
    if (corpus_count > 0 && next_random() % 2 == 0) {
        struct input *seed = &corpus[next_random() % corpus_count];
        size = seed->size;
        memcpy(bytes, seed->bytes, size);
        for (uint64_t n = next_random() % 8; size > 0 && n > 0; n--)
            bytes[next_random() % size] = (uint8_t)next_random();
        if (size > 0 && next_random() % 4 == 0)
            size = next_random() % size;
        return size;
    }
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)next_random();
    return size;
}

int main(int argc, char **argv) {
    unsigned long runs = 20000;
    uint64_t seed = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-n") == 0 && i + 1 < argc)
            runs = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc)
            seed = strtoull(argv[++i], NULL, 10);
        else
            add_path(argv[i]);
    }
    printf("seed %llu, %lu runs, %zu files\n", (unsigned long long)seed, runs, corpus_count);
    state = seed;
    static uint8_t scratch[INPUT_MAX];
    for (unsigned long i = 0; i < runs; i++) {
        size_t size = make_input(scratch);
        uint8_t *exact = malloc(size > 0 ? size : 1); /* so ASan sees a read past the end */
        if (exact == NULL)
            return 2;
        memcpy(exact, scratch, size);
        LLVMFuzzerTestOneInput(exact, size);
        free(exact);
    }
    for (size_t i = 0; i < corpus_count; i++)
        free(corpus[i].bytes);
    return 0;
}
