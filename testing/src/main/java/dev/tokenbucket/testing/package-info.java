/** What tests and demos share: a real control plane, hosts, traffic; and the demos. */
@NullMarked
package dev.tokenbucket.testing;

import org.jspecify.annotations.NullMarked;
