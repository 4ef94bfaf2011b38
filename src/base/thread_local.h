/*
 * thread_local.h - thread-local words that are read on every event.
 * What:   the initial-exec model: one instruction instead of a call (__tls_get_addr was 6% of what an
 *         echo costs in this library).
 * Source: "ELF Handling For Thread-Local Storage" (U. Drepper), section 4.
 * Rules:  such variables come out of the few hundred octets that the C library keeps for libraries
 *         loaded with dlopen: only for a few words, never for arrays.
 */
#ifndef NWI_BASE_THREAD_LOCAL_H
#define NWI_BASE_THREAD_LOCAL_H

#ifndef NWI_HOT_THREAD_LOCAL /* the tests of interleavings keep thread-local words elsewhere */
#define NWI_HOT_THREAD_LOCAL _Thread_local __attribute__((tls_model("initial-exec")))
#endif

#endif
