/*
 * local_io.c - the local ends: where bytes to send come from, where received bytes go.
 * What:   dispatch_read and dispatch_write, which wait for readiness and change no flags.
 * Runs:   on the main queue.
 */
#include "local_io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct nwcat_input {
    int fd, error;
    bool reading, ended;
    dispatch_data_t kept; /* read, but nobody wants it yet */
    void *context;
    nwcat_input_fn fn; /* NULL: nobody asks */
};

struct nwcat_output {
    int fd;
};

struct write_request { /* one nwcat_output_write, until its answer */
    void *context;
    nwcat_output_fn fn;
};

/* --- input --- */

struct nwcat_input *nwcat_input_open(const char *path) {
    struct nwcat_input *input = calloc(1, sizeof *input);
    if (input == NULL)
        return NULL;
    input->fd = path == NULL ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat status;
    if (input->fd >= 0 && path != NULL && fstat(input->fd, &status) == 0 &&
        S_ISDIR(status.st_mode)) {
        close(input->fd);
        input->fd = -1;
        errno = EISDIR;
    }
    if (input->fd < 0) {
        int error = errno;
        free(input);
        errno = error;
        return NULL;
    }
    return input;
}

/* Hands over what there is, if somebody asks and there is something. */
static void answer(struct nwcat_input *input) {
    if (input->fn == NULL || (input->kept == NULL && !input->ended))
        return;
    nwcat_input_fn fn = input->fn;
    dispatch_data_t data = input->kept;
    input->fn = NULL;
    input->kept = NULL;
    fn(input->context, data, data != NULL ? 0 : input->error);
    if (data != NULL)
        dispatch_release(data);
}

static void on_read(void *context, dispatch_data_t data, int error) {
    struct nwcat_input *input = context;
    input->reading = false;
    if (data != NULL && dispatch_data_get_size(data) > 0) {
        dispatch_retain(data);
        input->kept = data;
    }
    if (error != 0 || input->kept == NULL) {
        input->ended = true;
        input->error = error;
    }
    answer(input);
}

void nwcat_input_want(struct nwcat_input *input, size_t most, void *context, nwcat_input_fn fn) {
    input->context = context;
    input->fn = fn;
    if (input->kept != NULL || input->ended) {
        answer(input);
    } else if (!input->reading) {
        input->reading = true;
        dispatch_read_f(input->fd, most, dispatch_get_main_queue(), input, on_read);
    }
}

void nwcat_input_forget(struct nwcat_input *input, const void *context) {
    if (input != NULL && input->context == context)
        input->fn = NULL;
}

bool nwcat_input_is_terminal(const struct nwcat_input *input) {
    return isatty(input->fd);
}

uint64_t nwcat_input_total(const struct nwcat_input *input) {
    struct stat status;
    if (fstat(input->fd, &status) != 0 || !S_ISREG(status.st_mode))
        return 0;
    off_t at = lseek(input->fd, 0, SEEK_CUR);
    return at >= 0 && status.st_size > at ? (uint64_t)(status.st_size - at) : 0;
}

/* --- output --- */

struct nwcat_output *nwcat_output_open(const char *path) {
    struct nwcat_output *output = calloc(1, sizeof *output);
    if (output == NULL)
        return NULL;
    output->fd = path == NULL
                     ? STDOUT_FILENO
                     : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
    if (output->fd < 0) {
        int error = errno;
        free(output);
        errno = error;
        return NULL;
    }
    return output;
}

static void on_written(void *context, dispatch_data_t data, int error) {
    struct write_request request = *(struct write_request *)context;
    (void)data; /* what could not be written: the error says it all */
    free(context);
    request.fn(request.context, error);
}

void nwcat_output_write(struct nwcat_output *output, dispatch_data_t data, void *context,
                        nwcat_output_fn fn) {
    struct write_request *request = malloc(sizeof *request);
    if (request == NULL) {
        fn(context, ENOMEM);
        return;
    }
    request->context = context;
    request->fn = fn;
    dispatch_write_f(output->fd, data, dispatch_get_main_queue(), request, on_written);
}

bool nwcat_output_is_file(const struct nwcat_output *output) {
    struct stat status;
    return fstat(output->fd, &status) == 0 && S_ISREG(status.st_mode);
}

bool nwcat_output_is_terminal(const struct nwcat_output *output) {
    return isatty(output->fd);
}

int nwcat_output_close(struct nwcat_output *output) {
    /* Standard output too: some file systems tell only now that they could not keep the data. */
    int error = close(output->fd) != 0 && errno != EBADF && errno != EINTR ? errno : 0;
    free(output);
    return error;
}
