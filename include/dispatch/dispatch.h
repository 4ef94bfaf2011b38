/*
 * dispatch.h - the queue API of libnw, whole: include this one.
 * What:   Apple's dispatch calls that programs using the Network framework need, on Linux. Not
 *         here: mach, memory pressure and vnode sources, work groups of the operating system.
 */
#ifndef DISPATCH_DISPATCH_H
#define DISPATCH_DISPATCH_H

#include <dispatch/base.h>
#include <dispatch/block.h>
#include <dispatch/data.h>
#include <dispatch/group.h>
#include <dispatch/io.h>
#include <dispatch/object.h>
#include <dispatch/once.h>
#include <dispatch/qos.h>
#include <dispatch/queue.h>
#include <dispatch/semaphore.h>
#include <dispatch/source.h>
#include <dispatch/time.h>
#include <dispatch/workloop.h>

#endif
