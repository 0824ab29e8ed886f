// Package conntrack reads what connection tracking (nf_conntrack) of a network
// namespace holds of ports that source NAT has given out.
//
// Each translated address has all ports of its rule towards each destination: a
// range that the rule names, or 64,512. Nothing on Linux tells how many of these are
// in use; the entries of connection tracking, counted by translated address and
// destination, do. Nothing tells that they have run out either: the first packet of
// a connection is dropped, and sent again a second later.
//
// # What it costs
//
// Measured on Linux 6.18: the number of entries, by a file that is kept open, 1.3
// µs; the counters 10 µs; a dump 1.3 to 1.6 µs an entry, 300 ms for 200,000. So
//
//   - where the entries of the namespace are fewer than a pool has in trouble,
//     nothing is dumped;
//   - up to 5,000 entries are dumped whole;
//   - of more, a dump is broken off after about as many. Entries stand in the order
//     of a keyed hash, so that these are a fair sample: of 160,000 it tells the large
//     pools to 2.3 %;
//   - all entries are dumped only where the sample says that half of a pool is in
//     use, and seldom.
//
// # What is left alone
//
// To ask for connection tracking loads its modules, and with them every packet pays.
// So nothing is asked where they are not there already. What keeps its translations
// elsewhere is not seen: IPVS, and Cilium's own tables.
package conntrack
