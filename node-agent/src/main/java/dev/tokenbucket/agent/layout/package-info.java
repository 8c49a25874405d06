/**
 * The border to C: each struct and each enum of {@code bpf/} that both sides know, once. A test
 * compares them with the BTF of the compiled classifier. What a field means, and its unit, is told
 * in C. Pure, without a kernel.
 */
@NullMarked
package dev.tokenbucket.agent.layout;

import org.jspecify.annotations.NullMarked;
