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
// µs; the counters 10 µs, and the generation of the rules as much; a dump 1.3 to 1.6 µs an entry, 300 ms for 200,000. So
//
//   - where the entries of the namespace are fewer than a pool has in trouble,
//     nothing is dumped;
//   - up to 5,000 entries are dumped whole;
//   - of more, a dump is broken off after about as many. Entries stand in the order
//     of a keyed hash, so that these are a fair sample: of 160,000 it tells the large
//     pools to 2.3 %;
//   - all entries are dumped only where the sample says that half of a pool is in
//     use, and seldom: for a fiftieth of the time, a tenth while their number moves;
//   - while no pool is half full, looks rest, so that they take a twentieth of the time
//     at most: each walks the table of the host, 8 to 40 ms, however few the entries.
//
// # What a new connection finds
//
// The kernel tries a range of up to 128 ports whole. Of a larger one it tries 248 in
// five rows, each from a random port on, and gives up (nf_nat_l4proto_unique_tuple): its
// first packet is lost, though ports are free. How many are lost depends less on how
// many ports are used than on whether these stand close together: of 64,512 that were
// given out one after the other, 0.4 to 2 % are lost at 93 % and 38 to 50 % at 99 %; where
// connections come and go, a tenth of it. So the search is made over the ports that are
// used (search), which agrees with the kernel. In the last 32 tries of a row, since
// Linux 6.5, a translated connection that is over gives way to one whose sequence
// number is higher: every other one.
//
// # Whose ports they are
//
// A pool has the ports of a rule. Several rules may give one address, with a block of
// ports for each client: which one holds is seen by the ports in use. Of the pools of one
// address and destination, the one with the largest part in use is told.
//
// # What is left alone
//
// To ask for connection tracking loads its modules, and with them every packet pays.
// So nothing is asked where they are not there already. What keeps its translations
// elsewhere is not seen: IPVS, and Cilium's own tables. Pools of SCTP, and what has no
// ports, are not counted.
package conntrack
