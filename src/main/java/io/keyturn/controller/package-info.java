/**
 * The reconcilers: each gathers what there is, asks the domain what to do, does it, and reports.
 */
package io.keyturn.controller;
