/*
 * qos.h - quality of service classes.
 * What:   how urgent work is. libnw accepts and reports them everywhere; its loops run all classes
 *         alike.
 * Source: the values of Apple's <sys/qos.h>.
 */
#ifndef DISPATCH_QOS_H
#define DISPATCH_QOS_H

#include <dispatch/base.h>

/* Guarded by a macro, so a program that brings its own definition of these names wins. */
#ifndef QOS_CLASS_DEFAULT
typedef unsigned int qos_class_t;
enum {
    QOS_CLASS_USER_INTERACTIVE = 0x21, /* a person waits for each frame */
    QOS_CLASS_USER_INITIATED = 0x19,   /* a person asked for it and waits */
    QOS_CLASS_DEFAULT = 0x15,
    QOS_CLASS_UTILITY = 0x11,    /* long work with a progress bar */
    QOS_CLASS_BACKGROUND = 0x09, /* nobody watches */
    QOS_CLASS_UNSPECIFIED = 0x00,
};
#define QOS_MIN_RELATIVE_PRIORITY (-15)
#endif

typedef qos_class_t dispatch_qos_class_t;

#endif
