/*
 * race_case.c - a network as text, to be kept and read by people; see race_sim.h.
 * Form:   "#" begins a comment; a case is "options", then "host" and "answer" lines, and "end".
 * Of a host, "transport" and what follows it may be missing.
 * Hosts are numbered from 0 as they come; an error is its domain and code, 0 0 for none.
 */
#include "sim/race_sim.h"
#include <string.h>

static long long in_ms(nwi_ns time) {
    return time == NWI_NEVER ? -1 : (long long)(time / NWI_MS);
}

static nwi_ns from_ms(long long time) {
    return time < 0 ? NWI_NEVER : (nwi_ns)time * NWI_MS;
}

void race_case_write(FILE *file, const struct race_net *net) {
    const struct nwi_race_options *o = &net->options;
    bool no_delay = o->resolution_delay == NWI_RACE_NO_DELAY;
    fprintf(file,
            "options resolution %lld attempt %lld alive %u count %u first %u ip %u service %d "
            "cancel %lld late %lld mix %llu\n",
            no_delay ? -1 : in_ms(o->resolution_delay), in_ms(o->attempt_delay), o->max_alive,
            o->first_family_count, o->first_family, o->ip_version, o->ask_service,
            in_ms(net->cancel_at), in_ms(net->timer_late), (unsigned long long)net->mix);
    for (unsigned i = 0; i < net->host_count; i++) {
        const struct race_net_host *host = &net->hosts[i];
        fprintf(file, "host family %u silent %d delay %lld error %d %d rtt %lld rank %u group %u",
                host->family, host->silent, in_ms(host->delay), (int)nwi_err_domain(host->err),
                nwi_err_code(host->err), in_ms(host->rtt), host->rank, host->group);
        if (host->layered)
            fprintf(file, " transport %lld asks %d at %lld think %lld", in_ms(host->transport),
                    host->asks, in_ms(host->ask), in_ms(host->think));
        fprintf(file, "\n");
    }
    for (unsigned i = 0; i < net->answer_count; i++) {
        const struct race_net_answer *answer = &net->answers[i];
        fprintf(file, "answer question %u at %lld error %d %d more %d hosts %u",
                (unsigned)answer->question, in_ms(answer->at), (int)nwi_err_domain(answer->err),
                nwi_err_code(answer->err), answer->more, answer->count);
        for (unsigned k = 0; k < answer->count; k++)
            fprintf(file, " %u", answer->hosts[k]);
        fprintf(file, "\n");
    }
    fprintf(file, "end\n");
}

static nwi_err error_of(int domain, int code) {
    return domain == 0 && code == 0 ? 0 : nwi_err_make((enum nwi_err_domain)domain, code);
}

static bool read_options(FILE *file, struct race_net *net) {
    long long resolution, attempt, cancel, late;
    unsigned alive, count, first, ip;
    unsigned long long mix;
    int service;
    if (fscanf(file,
               " resolution %lld attempt %lld alive %u count %u first %u ip %u service %d cancel "
               "%lld late %lld mix %llu",
               &resolution, &attempt, &alive, &count, &first, &ip, &service, &cancel, &late,
               &mix) != 10)
        return false;
    net->options.resolution_delay = resolution < 0 ? NWI_RACE_NO_DELAY : from_ms(resolution);
    net->options.attempt_delay = from_ms(attempt);
    net->options.max_alive = alive;
    net->options.first_family_count = count;
    net->options.first_family = (uint8_t)first;
    net->options.ip_version = (uint8_t)ip;
    net->options.ask_service = service != 0;
    net->cancel_at = from_ms(cancel);
    net->timer_late = from_ms(late);
    net->mix = mix;
    return true;
}

/* The rest of a host with a handshake above its transport, when there is one. */
static bool read_layered(FILE *file, struct race_net_host *host) {
    long long transport, at, think;
    int asks, found = fscanf(file, " transport %lld asks %d at %lld think %lld", &transport, &asks,
                             &at, &think);
    if (found <= 0)
        return true;
    host->layered = true;
    host->asks = asks != 0;
    host->transport = from_ms(transport);
    host->ask = from_ms(at);
    host->think = from_ms(think);
    return found == 4;
}

static bool read_host(FILE *file, struct race_net *net) {
    struct race_net_host *host = &net->hosts[net->host_count];
    int silent, domain, code;
    unsigned family;
    long long delay, rtt;
    if (net->host_count == RACE_NET_HOSTS ||
        fscanf(file, " family %u silent %d delay %lld error %d %d rtt %lld rank %u group %u",
               &family, &silent, &delay, &domain, &code, &rtt, &host->rank, &host->group) != 8)
        return false;
    host->family = (uint8_t)family;
    host->silent = silent != 0;
    host->delay = from_ms(delay);
    host->err = error_of(domain, code);
    host->rtt = from_ms(rtt);
    net->host_count++;
    return read_layered(file, host);
}

static bool read_answer(FILE *file, struct race_net *net) {
    struct race_net_answer *answer = &net->answers[net->answer_count];
    unsigned question, count, host;
    int domain, code, more;
    long long at;
    if (net->answer_count == RACE_NET_ANSWERS ||
        fscanf(file, " question %u at %lld error %d %d more %d hosts %u", &question, &at, &domain,
               &code, &more, &count) != 6 ||
        count > RACE_NET_HOSTS)
        return false;
    answer->question = (enum nwi_race_question)question;
    answer->at = from_ms(at);
    answer->err = error_of(domain, code);
    answer->more = more != 0;
    for (answer->count = 0; answer->count < count; answer->count++) {
        if (fscanf(file, " %u", &host) != 1 || host >= net->host_count)
            return false;
        answer->hosts[answer->count] = (uint8_t)host;
    }
    net->answer_count++;
    return true;
}

int race_case_read(FILE *file, struct race_net *ret_net) {
    char word[16];
    bool begun = false, good = true;
    memset(ret_net, 0, sizeof *ret_net);
    while (good && fscanf(file, " %15s", word) == 1) {
        if (word[0] == '#')
            good = fscanf(file, "%*[^\n]") >= 0;
        else if (strcmp(word, "options") == 0)
            good = !begun && (begun = read_options(file, ret_net));
        else if (strcmp(word, "host") == 0)
            good = begun && read_host(file, ret_net);
        else if (strcmp(word, "answer") == 0)
            good = begun && read_answer(file, ret_net);
        else if (strcmp(word, "end") == 0)
            return begun ? 1 : -1;
        else
            good = false;
    }
    return good && !begun ? 0 : -1;
}
