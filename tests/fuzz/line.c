/*
 * line.c - see line.h.
 * Owns:   the lines of one input, and a request for each completion that is owed.
 */
#include "line.h"
#include <errno.h>
#include <time.h>

enum {
    HANG = 30,
    SOON = 100000000,
    REACTIONS_MAX = 12,
    REACT_CANCEL = 5
}; /* seconds; nanoseconds; a line */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct line lines[LINES];
static unsigned count, owed[DEBTS];

struct request {
    struct line *line;
    uint32_t max;
    bool may_react; /* there was a queue when it was made: its completion is a handler's equal */
    bool first; /* was asked for before the end, with a queue: completes before the end is told */
};

void owe(enum debt debt) {
    pthread_mutex_lock(&lock);
    owed[debt]++;
    pthread_mutex_unlock(&lock);
}

void paid(enum debt debt) {
    pthread_mutex_lock(&lock);
    CHECK(owed[debt] > 0);
    owed[debt]--;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static struct timespec after(time_t seconds, long nanoseconds) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    at.tv_sec += seconds;
    at.tv_nsec += nanoseconds;
    if (at.tv_nsec >= 1000000000) {
        at.tv_nsec -= 1000000000;
        at.tv_sec++;
    }
    return at;
}

void await_paid(enum debt debt) {
    struct timespec until = after(HANG, 0);
    pthread_mutex_lock(&lock);
    while (owed[debt] > 0)
        CHECK(pthread_cond_timedwait(&changed, &lock, &until) != ETIMEDOUT);
    pthread_mutex_unlock(&lock);
}

/* --- inside the handlers --- */

/* What a connection that is going away owes comes on the queue as it is: side by side, if that is
 * concurrent. */
static void enter(struct line *line, bool has_queue) {
    if (has_queue)
        CHECK(atomic_fetch_add(&line->inside, 1) == 0 || atomic_load(&line->dropped));
}

static void leave(struct line *line, bool has_queue) {
    if (has_queue)
        atomic_fetch_sub(&line->inside, 1);
}

static void do_nothing(void *context) {
    (void)context;
}

/* The connection is held while its handler runs, unless we gave it up before it began. */
static void react(struct line *line) {
    unsigned turn = atomic_fetch_add(&line->reacted, 1);
    if (turn >= REACTIONS_MAX || atomic_load(&line->dropped))
        return;
    uint8_t what = line->reactions[turn % REACTIONS];
    switch (what % 16) {
    case 1:
        line_send(line, dispatch_data_empty, NW_CONNECTION_FINAL_MESSAGE_CONTEXT, true, false);
        break;
    case 2: {
        dispatch_data_t content = dispatch_data_create_f("reaction", what % 9, NULL, NULL, NULL);
        line_send(line, content, NW_CONNECTION_DEFAULT_MESSAGE_CONTEXT, true, what & 0x80);
        if (content != NULL)
            dispatch_release(content);
        break;
    }
    case 3:
        line_receive(line, what >> 6, what >> 4);
        break;
    case 4:
        line_receive_message(line);
        break;
    case REACT_CANCEL:
        line_cancel(line, what & 0x80);
        break;
    case 6:
        nw_connection_restart(line->connection);
        break;
    case 7:
        nw_connection_cancel_current_endpoint(line->connection);
        break;
    case 8:
        nw_connection_batch_f(line->connection, line, do_nothing);
        break;
    case 9:
        free(nw_connection_copy_description(line->connection));
        nw_release(nw_connection_copy_current_path(line->connection));
        break;
    default:
        break;
    }
}

static bool may_follow(nw_connection_state_t from, nw_connection_state_t to) {
    static const uint8_t next[] = {
        [nw_connection_state_invalid] = 0x3e,   [nw_connection_state_waiting] = 0x36,
        [nw_connection_state_preparing] = 0x3a, [nw_connection_state_ready] = 0x30,
        [nw_connection_state_failed] = 0x20,    [nw_connection_state_cancelled] = 0,
    };
    return next[from] >> to & 1;
}

static void on_state(void *context, nw_connection_state_t state, nw_error_t error) {
    struct line *line = context;
    enter(line, true);
    CHECK((error != NULL) ==
          (state == nw_connection_state_waiting || state == nw_connection_state_failed));
    CHECK(error == NULL || nw_error_get_error_code(error) != 0);
    CHECK(state != nw_connection_state_cancelled || atomic_load(&line->first) == 0);
    pthread_mutex_lock(&lock);
    CHECK(may_follow(line->state, state));
    line->state = state;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    if (state != nw_connection_state_cancelled)
        react(line);
    leave(line, true);
    if (state == nw_connection_state_cancelled)
        paid(OWED_BY_LINES);
}

/* What the three other handlers have in common. */
static void on_notice(struct line *line) {
    enter(line, true);
    CHECK(line->state != nw_connection_state_cancelled);
    react(line);
    leave(line, true);
}

static void on_flag(void *context, bool value) {
    (void)value;
    on_notice(context);
}

static void on_path(void *context, nw_path_t path) {
    CHECK(nw_path_get_status(path) != nw_path_status_invalid || path == NULL);
    on_notice(context);
}

static void complete(struct request *request) {
    struct line *line = request->line;
    if (request->first)
        atomic_fetch_sub(&line->first, 1);
    if (request->may_react)
        react(line);
    leave(line, request->may_react);
    free(request);
    paid(OWED_BY_LINES);
}

static void on_sent(void *context, nw_error_t error) {
    struct request *request = context;
    enter(request->line, request->may_react);
    CHECK(error == NULL || nw_error_get_error_code(error) != 0);
    complete(request);
}

static void on_received(void *context, dispatch_data_t content, nw_content_context_t received,
                        bool is_complete, nw_error_t error) {
    struct request *request = context;
    enter(request->line, request->may_react);
    size_t size = content != NULL ? dispatch_data_get_size(content) : 0;
    CHECK(size <= request->max);
    CHECK(content == NULL || received != NULL);
    CHECK(size > 0 || is_complete || error != NULL);
    complete(request);
}

/* --- calls --- */

static struct request *request_of(struct line *line, uint32_t max) {
    struct request *request = malloc(sizeof *request);
    CHECK(request != NULL);
    pthread_mutex_lock(&lock);
    *request = (struct request){line, max, line->has_queue,
                                line->has_queue && !line->cancelled && !line->ends_itself};
    if (request->first)
        atomic_fetch_add(&line->first, 1);
    owed[OWED_BY_LINES]++;
    pthread_mutex_unlock(&lock);
    return request;
}

void line_send(struct line *line, dispatch_data_t content, nw_content_context_t context,
               bool is_complete, bool idempotent) {
    if (idempotent || context == NULL)
        nw_connection_send_f(line->connection, content, context, is_complete, NULL,
                             NW_CONNECTION_SEND_IDEMPOTENT_CONTENT_F);
    else
        nw_connection_send_f(line->connection, content, context, is_complete, request_of(line, 0),
                             on_sent);
}

void line_receive(struct line *line, uint32_t min, uint32_t max) {
    nw_connection_receive_f(line->connection, min, max, request_of(line, max), on_received);
}

void line_receive_message(struct line *line) {
    nw_connection_receive_message_f(line->connection, request_of(line, UINT32_MAX), on_received);
}

/* The first cancel owes the end, where somebody can be told. */
void line_cancel(struct line *line, bool force) {
    pthread_mutex_lock(&lock);
    if (!line->cancelled && line->has_queue)
        owed[OWED_BY_LINES]++;
    line->cancelled = true;
    pthread_mutex_unlock(&lock);
    if (force)
        nw_connection_force_cancel(line->connection);
    else
        nw_connection_cancel(line->connection);
}

void line_set_queue(struct line *line, dispatch_queue_t queue) {
    pthread_mutex_lock(&lock);
    bool late = line->cancelled; /* without a queue: the end is over, and was told nobody */
    pthread_mutex_unlock(&lock);
    if (late)
        return;
    nw_connection_set_queue(line->connection, queue);
    if (queue != NULL)
        line->has_queue = true;
}

void line_start(struct line *line) {
    line->started = line->started || line->has_queue;
    nw_connection_start(line->connection);
}

/* A connection that was started holds itself until it has ended. */
void line_drop(struct line *line) {
    if (atomic_load(&line->dropped))
        return;
    pthread_mutex_lock(&lock);
    bool may_drop = !line->started || line->cancelled;
    pthread_mutex_unlock(&lock);
    if (!may_drop)
        return;
    atomic_store(&line->dropped, true);
    nw_release(line->connection);
}

void line_await(struct line *line) {
    struct timespec until = after(0, SOON);
    if (!line->started)
        return;
    pthread_mutex_lock(&lock);
    while (line->state == nw_connection_state_invalid ||
           line->state == nw_connection_state_preparing)
        if (pthread_cond_timedwait(&changed, &lock, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&lock);
}

struct line *line_add(nw_connection_t connection, const uint8_t reactions[REACTIONS]) {
    if (connection == NULL)
        return NULL;
    pthread_mutex_lock(&lock);
    struct line *line = count < LINES ? &lines[count] : NULL;
    if (line != NULL) {
        *line = (struct line){.connection = connection};
        memcpy(line->reactions, reactions, REACTIONS);
        for (int i = 0; i < REACTIONS; i++)
            line->ends_itself = line->ends_itself || reactions[i] % 16 == REACT_CANCEL;
        count++;
    }
    pthread_mutex_unlock(&lock);
    if (line == NULL) {
        nw_release(connection);
        return NULL;
    }
    nw_connection_set_state_changed_handler_f(connection, line, on_state);
    nw_connection_set_viability_changed_handler_f(connection, line, on_flag);
    nw_connection_set_better_path_available_handler_f(connection, line, on_flag);
    nw_connection_set_path_changed_handler_f(connection, line, on_path);
    return line;
}

void line_publish(struct line *line) {
    pthread_mutex_lock(&lock);
    line->published = true;
    pthread_mutex_unlock(&lock);
}

struct line *line_pick(unsigned choice) {
    pthread_mutex_lock(&lock);
    struct line *line = count > 0 ? &lines[choice % count] : NULL;
    if (line != NULL && (!line->published || atomic_load(&line->dropped)))
        line = NULL;
    pthread_mutex_unlock(&lock);
    return line;
}

void lines_begin(void) {
    CHECK(owed[OWED_BY_LINES] == 0);
    count = 0;
}

void lines_end(void) {
    for (unsigned i = 0; i < count; i++) {
        if (atomic_load(&lines[i].dropped))
            continue;
        line_cancel(&lines[i], i % 2);
        line_drop(&lines[i]);
    }
    await_paid(OWED_BY_LINES);
    for (unsigned i = 0; i < count; i++) {
        CHECK(atomic_load(&lines[i].inside) == 0);
        CHECK(!lines[i].started || lines[i].state == nw_connection_state_cancelled);
    }
}
