/*
 * fake_dns.c - see fake_dns.h.
 * What:   one thread polls a UDP socket, a listening TCP socket and one TCP connection at a time;
 *         answers that are due later wait in a list.
 * Source: RFC 1035 section 4.
 * Runs:   the server's thread; counters under a lock.
 * Owns:   its sockets, the list, the record of questions.
 */
#include "fake/fake_dns.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE_MAX = 65535, QUESTIONS_MAX = 8192 };

struct reply {
    STAILQ_ENTRY(reply) entry;
    uint64_t due; /* ms */
    struct sockaddr_in to;
    int fd; /* TCP connection, or -1: UDP */
    bool stranger;
    size_t size;
    unsigned char message[];
};

struct fake_dns {
    const struct fake_dns_rule *rules;
    pthread_t thread;
    pthread_mutex_t lock;
    int udp, other, tcp, stop[2];
    uint16_t port;
    STAILQ_HEAD(, reply) replies;
    struct {
        char name[256];
        int type;
    } seen[QUESTIONS_MAX];
    unsigned seen_count, tcp_count;
};

static uint64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void put16(unsigned char **at, unsigned value) {
    *(*at)++ = (unsigned char)(value >> 8);
    *(*at)++ = (unsigned char)value;
}
static void put32(unsigned char **at, uint32_t value) {
    put16(at, value >> 16);
    put16(at, value & 0xffff);
}
static void put_name(unsigned char **at, const char *name) {
    while (*name != '\0') {
        size_t length = strcspn(name, ".");
        *(*at)++ = (unsigned char)length;
        memcpy(*at, name, length);
        *at += length;
        name += length + (name[length] == '.');
    }
    *(*at)++ = 0;
}

/* Reads the question; returns its end, or 0 when it makes no sense. */
static size_t read_question(const unsigned char *m, size_t size, char *name, int *type) {
    size_t at = 12, out = 0;
    while (at < size && m[at] != 0) {
        size_t length = m[at++];
        if (length > 63 || at + length > size || out + length + 2 > 255)
            return 0;
        for (size_t i = 0; i < length; i++)
            name[out++] = (char)(m[at + i] | (m[at + i] >= 'A' && m[at + i] <= 'Z' ? 0x20 : 0));
        name[out++] = '.';
        at += length;
    }
    if (at + 5 > size)
        return 0;
    name[out > 0 ? out - 1 : 0] = '\0';
    *type = m[at + 1] << 8 | m[at + 2];
    return at + 5;
}

static const struct fake_dns_rule *find_rule(struct fake_dns *s, const char *name, int type) {
    const struct fake_dns_rule *rule = s->rules;
    for (; rule->name == NULL || rule->name[0] != '\0'; rule++) {
        if ((rule->name == NULL || strcmp(rule->name, name) == 0) &&
            (rule->type == 0 || rule->type == type))
            return rule;
    }
    return NULL;
}

static unsigned put_records(unsigned char **at, const struct fake_dns_rule *rule, const char *name,
                            int type) {
    unsigned count = 0;
    const char *owner = name;
    for (int i = 0; i < 3 && rule->cnames[i] != NULL; i++, count++) {
        put_name(at, owner);
        put16(at, 5);
        put16(at, 1);
        put32(at, rule->ttl);
        unsigned char *length = *at;
        *at += 2;
        put_name(at, rule->cnames[i]);
        unsigned char *end = *at;
        put16(&length, (unsigned)(end - length - 2));
        owner = rule->cnames[i];
    }
    for (unsigned i = 0; i < 8 || i < rule->many; i++) {
        unsigned char octets[16];
        int family = type == 28 ? AF_INET6 : AF_INET;
        size_t size = type == 28 ? 16 : 4;
        char made[32];
        const char *text = i < 8 ? rule->records[i] : NULL;
        if (text == NULL && i < rule->many && type == 1) {
            snprintf(made, sizeof made, "10.0.%u.%u", i / 250, i % 250 + 1);
            text = made;
        }
        if (text == NULL || inet_pton(family, text, octets) != 1)
            continue;
        put_name(at, owner);
        put16(at, (unsigned)type);
        put16(at, 1);
        put32(at, rule->ttl);
        put16(at, (unsigned)size);
        memcpy(*at, octets, size);
        *at += size;
        count++;
    }
    return count;
}

/* Writes the answer to one question; 0: none is to be sent. */
static size_t build(struct fake_dns *s, const unsigned char *m, size_t size, bool tcp,
                    unsigned char *out, const struct fake_dns_rule **ret_rule) {
    static const struct fake_dns_rule unknown = {.kind = FAKE_DNS_RCODE, .rcode = 3};
    char name[256];
    int type;
    size_t end = size >= 12 ? read_question(m, size, name, &type) : 0;
    if (end == 0)
        return 0;
    pthread_mutex_lock(&s->lock);
    if (s->seen_count < QUESTIONS_MAX) {
        strcpy(s->seen[s->seen_count].name, name);
        s->seen[s->seen_count++].type = type;
    }
    s->tcp_count += tcp;
    pthread_mutex_unlock(&s->lock);
    const struct fake_dns_rule *rule = find_rule(s, name, type);
    *ret_rule = rule != NULL ? rule : &unknown;
    rule = *ret_rule;
    if (rule->kind == FAKE_DNS_SILENT)
        return 0;
    memcpy(out, m, end);
    bool cut = rule->kind == FAKE_DNS_TRUNCATE && !tcp;
    out[2] = (unsigned char)(0x81 | (cut ? 2 : 0));
    out[3] = (unsigned char)(0x80 | (rule->kind == FAKE_DNS_RCODE ? rule->rcode : 0));
    memset(out + 4, 0, 8);
    out[5] = 1;
    unsigned char *at = out + end;
    unsigned count = 0;
    if (rule->kind == FAKE_DNS_GARBAGE) {
        count = 3;
        for (int i = 0; i < 40; i++)
            *at++ = (unsigned char)(0xc0 | i * 37);
    } else if (rule->kind != FAKE_DNS_RCODE && !cut) {
        count = put_records(&at, rule, name, type);
    }
    unsigned char *place = out + 6;
    put16(&place, count);
    return (size_t)(at - out);
}

static void write_reply(struct fake_dns *s, struct reply *r) {
    if (r->fd >= 0) {
        unsigned char length[2] = {(unsigned char)(r->size >> 8), (unsigned char)r->size};
        /* in pieces, so that the reader has to put them together */
        if (write(r->fd, length, 1) == 1 && write(r->fd, length + 1, 1) == 1 &&
            write(r->fd, r->message, r->size / 2) == (ssize_t)(r->size / 2))
            (void)!write(r->fd, r->message + r->size / 2, r->size - r->size / 2);
        return;
    }
    if (r->stranger)
        sendto(s->other, r->message, r->size, 0, (struct sockaddr *)&r->to, sizeof r->to);
    sendto(s->udp, r->message, r->size, 0, (struct sockaddr *)&r->to, sizeof r->to);
}

static void take(struct fake_dns *s, const unsigned char *m, size_t size,
                 const struct sockaddr_in *from, int tcp) {
    static _Thread_local unsigned char out[MESSAGE_MAX];
    const struct fake_dns_rule *rule;
    size_t length = build(s, m, size, tcp >= 0, out, &rule);
    if (length == 0)
        return;
    struct reply *r = malloc(sizeof *r + length);
    if (r == NULL)
        abort();
    *r = (struct reply){.due = now_ms() + rule->delay_ms,
                        .fd = tcp,
                        .size = length,
                        .stranger = rule->kind == FAKE_DNS_STRANGER};
    if (from != NULL)
        r->to = *from;
    memcpy(r->message, out, length);
    STAILQ_INSERT_TAIL(&s->replies, r, entry);
}

static int send_due(struct fake_dns *s) {
    int wait = -1;
    uint64_t now = now_ms();
    struct reply *r = STAILQ_FIRST(&s->replies), *next;
    for (; r != NULL; r = next) {
        next = STAILQ_NEXT(r, entry);
        if (r->due <= now) {
            STAILQ_REMOVE(&s->replies, r, reply, entry);
            write_reply(s, r);
            free(r);
        } else if (wait < 0 || (int)(r->due - now) < wait) {
            wait = (int)(r->due - now);
        }
    }
    return wait;
}

static bool read_whole(int fd, unsigned char *to, size_t size) {
    while (size > 0) {
        ssize_t got = read(fd, to, size);
        if (got <= 0)
            return false;
        to += got;
        size -= (size_t)got;
    }
    return true;
}

static void *run(void *argument) {
    struct fake_dns *s = argument;
    static _Thread_local unsigned char m[MESSAGE_MAX];
    int connection = -1;
    for (;;) {
        struct pollfd fds[] = {{.fd = s->stop[0], .events = POLLIN},
                               {.fd = s->udp, .events = POLLIN},
                               {.fd = connection < 0 ? s->tcp : -1, .events = POLLIN},
                               {.fd = connection, .events = POLLIN}};
        poll(fds, 4, send_due(s));
        if (fds[0].revents != 0)
            break;
        if (fds[1].revents != 0) {
            struct sockaddr_in from;
            socklen_t length = sizeof from;
            ssize_t got =
                recvfrom(s->udp, m, sizeof m, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
            if (got > 0)
                take(s, m, (size_t)got, &from, -1);
        }
        if (fds[2].revents != 0)
            connection = accept(s->tcp, NULL, NULL);
        if (fds[3].revents != 0) {
            unsigned char length[2];
            size_t size = 0;
            bool alive = read_whole(connection, length, 2);
            if (alive) {
                size = (size_t)length[0] << 8 | length[1];
                alive = read_whole(connection, m, size);
            }
            if (alive) {
                take(s, m, size, NULL, connection);
            } else {
                close(connection);
                struct reply *r;
                STAILQ_FOREACH (r, &s->replies, entry)
                    r->fd = r->fd == connection ? -2 : r->fd;
                connection = -1;
            }
        }
    }
    if (connection >= 0)
        close(connection);
    return NULL;
}

struct fake_dns *fake_dns_start(const struct fake_dns_rule *rules) {
    struct fake_dns *s = calloc(1, sizeof *s);
    if (s == NULL)
        return NULL;
    s->rules = rules;
    STAILQ_INIT(&s->replies);
    pthread_mutex_init(&s->lock, NULL);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->other = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    s->tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    /* The UDP port the kernel chose may be taken for TCP: a few tries find one that is free for
     * both. */
    bool ready = false;
    for (int try = 0; try < 20 && !ready; try++) {
        close(s->udp);
        s->udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        address.sin_port = 0;
        ready = bind(s->udp, (struct sockaddr *)&address, sizeof address) == 0 &&
                getsockname(s->udp, (struct sockaddr *)&address, &length) == 0 &&
                bind(s->tcp, (struct sockaddr *)&address, sizeof address) == 0;
    }
    s->port = ntohs(address.sin_port);
    int room = 4 << 20;
    setsockopt(s->udp, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
    if (!ready || listen(s->tcp, 8) < 0 || pipe2(s->stop, O_CLOEXEC) < 0 ||
        pthread_create(&s->thread, NULL, run, s) != 0) {
        free(s);
        return NULL;
    }
    return s;
}

void fake_dns_stop(struct fake_dns *s) {
    if (s == NULL)
        return;
    (void)!write(s->stop[1], "x", 1);
    pthread_join(s->thread, NULL);
    struct reply *r;
    while ((r = STAILQ_FIRST(&s->replies)) != NULL) {
        STAILQ_REMOVE_HEAD(&s->replies, entry);
        free(r);
    }
    close(s->udp);
    close(s->other);
    close(s->tcp);
    close(s->stop[0]);
    close(s->stop[1]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

uint16_t fake_dns_port(const struct fake_dns *s) {
    return s->port;
}

unsigned fake_dns_questions(struct fake_dns *s, const char *name, int type) {
    unsigned count = 0;
    pthread_mutex_lock(&s->lock);
    for (unsigned i = 0; i < s->seen_count; i++)
        count += (name == NULL || strcmp(s->seen[i].name, name) == 0) &&
                 (type == 0 || s->seen[i].type == type);
    pthread_mutex_unlock(&s->lock);
    return count;
}

unsigned fake_dns_tcp_questions(struct fake_dns *s) {
    pthread_mutex_lock(&s->lock);
    unsigned count = s->tcp_count;
    pthread_mutex_unlock(&s->lock);
    return count;
}
