/*
 * asio.cc - Boost.Asio, as a C++17 program would use it: one io_context, one thread.
 * What:   async_read_some into a buffer of the connection; async_write back from it.
 * Runs:   on the thread that calls serve or drive.
 */
#include "peer.h"
#include <array>
#include <boost/asio.hpp>
#include <memory>

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

const char message[BENCH_READ_MAX] = {}; /* what drivers send */

void must(const char *what, const error_code &error) {
    if (error)
        bench_die(what, error.value());
}

/* --- servers --- */
/* Lives as long as an operation of its own is under way. */
struct Client : std::enable_shared_from_this<Client> {
    Client(tcp::socket taken, const bench_load *given) : socket(std::move(taken)), load(given) {
        socket.set_option(tcp::no_delay(true));
    }

    void read() {
        socket.async_read_some(asio::buffer(data),
                               [self = shared_from_this()](const error_code &error, size_t got) {
                                   if (!error)
                                       self->take(got);
                               });
    }

    void take(size_t got) {
        if (load->work == BENCH_STREAM)
            bench_count(load->counters, got);
        if (load->work != BENCH_ECHO)
            return read();
        asio::async_write(socket, asio::buffer(data, got),
                          [self = shared_from_this()](const error_code &error, size_t) {
                              if (!error)
                                  self->read();
                          });
    }

    tcp::socket socket;
    const bench_load *load;
    std::array<char, BENCH_READ_MAX> data;
};

void accept_next(tcp::acceptor &acceptor, const bench_load *load) {
    acceptor.async_accept([&acceptor, load](const error_code &error, tcp::socket socket) {
        must("accept", error);
        if (load->work == BENCH_CONNECT)
            bench_count(load->counters, 1); // and it is closed as it goes out of scope
        else
            std::make_shared<Client>(std::move(socket), load)->read();
        accept_next(acceptor, load);
    });
}

void serve(const bench_load *load) {
    asio::io_context context(1);
    tcp::acceptor acceptor(context, tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    acceptor.listen(BENCH_BACKLOG);
    bench_listening(acceptor.local_endpoint().port());
    accept_next(acceptor, load);
    context.run();
}

/* --- drivers --- */
struct Driver {
    Driver(asio::io_context &context, const bench_load *given, bench_counter *own)
        : socket(context), load(given), counter(own) {}

    void begin() {
        tcp::endpoint server(asio::ip::address_v4::loopback(), load->port);
        socket.open(tcp::v4());
        socket.set_option(tcp::no_delay(true));
        socket.async_connect(server, [this](const error_code &error) {
            must("connect", error);
            if (load->work == BENCH_CONNECT)
                read_to_end();
            else if (load->work == BENCH_STREAM)
                pour();
            else
                round_trip();
        });
    }

    void read_to_end() {
        socket.async_read_some(asio::buffer(answer), [this](const error_code &error, size_t) {
            if (error != asio::error::eof)
                bench_die("read", error.value());
            bench_count(counter, 1);
            socket.close();
            begin();
        });
    }

    void pour() {
        asio::async_write(socket, asio::buffer(message, load->size),
                          [this](const error_code &error, size_t length) {
                              must("write", error);
                              bench_count(counter, length);
                              pour();
                          });
    }

    void round_trip() {
        asio::async_write(socket, asio::buffer(message, load->size),
                          [this](const error_code &error, size_t) { must("write", error); });
        asio::async_read(socket, asio::buffer(answer, load->size),
                         [this](const error_code &error, size_t) {
                             must("read", error);
                             bench_count(counter, 1);
                             round_trip();
                         });
    }

    tcp::socket socket;
    const bench_load *load;
    bench_counter *counter;
    std::array<char, BENCH_READ_MAX> answer;
};

void drive(const bench_load *load) {
    asio::io_context context(1);
    std::vector<std::unique_ptr<Driver>> drivers;
    for (unsigned i = 0; i < load->connections; i++) {
        drivers.push_back(std::make_unique<Driver>(context, load, &load->counters[i]));
        drivers.back()->begin();
    }
    context.run();
}

} // namespace

extern "C" const bench_peer bench_peer_asio;
const bench_peer bench_peer_asio = {"Boost.Asio", nullptr, serve, drive};
