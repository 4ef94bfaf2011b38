/*
 * status.h - what nwcat tells the script that ran it.
 * What:   the exit statuses; man/nwcat.1, section EXIT STATUS, says the same in words.
 */
#ifndef NWCAT_STATUS_H
#define NWCAT_STATUS_H

enum nwcat_status {
    NWCAT_OK = 0,           /* all went as asked */
    NWCAT_FAILED = 1,       /* refused, unreachable, or the connection broke */
    NWCAT_USAGE = 2,        /* the command line makes no sense */
    NWCAT_TIMEOUT = 3,      /* -w ran out */
    NWCAT_NO_NAME = 4,      /* the host name does not exist or cannot be looked up */
    NWCAT_LOCAL_IO = 5,     /* a local file, pipe or terminal could not be read or written */
    NWCAT_TLS = 6,          /* TLS: no agreement, or the peer is not to be trusted */
    NWCAT_INTERRUPTED = 130 /* SIGINT; SIGTERM gives 143, SIGHUP 129: 128 and the signal */
};

#endif
