/** What all parts of the project agree on beside the API's types. */
@NullMarked
package dev.tokenbucket.api;

import org.jspecify.annotations.NullMarked;
