/* SPDX-License-Identifier: MIT */
#ifndef WT_WIRE_FIELD_H
#define WT_WIRE_FIELD_H

/* The characters of a field's name and value (RFC 9110, sections 5.1 and 5.5; RFC 9114, sections 4.2 and 10.3). */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether `name` is a token without upper-case letters; a pseudo-header field has a ':' in front of it. */
bool wt__field_name_valid(const uint8_t *name, size_t len);

/* Whether `value` has no control character but HTAB, and neither begins nor ends with a space or HTAB. So it has no
 * NUL. It may be empty. */
bool wt__field_value_valid(const uint8_t *value, size_t len);

#endif
