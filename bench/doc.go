// Package bench measures what being on the record costs: each figure is a
// ratio between two ways of doing a thing, measured side by side in one run,
// in alternating order. The load is made from distributions that were measured
// on real audit logs ([Load]). A run ends by deriving every log it made again.
//
// "onrecord bench" runs it; so does "go test -bench . ./bench".
package bench
