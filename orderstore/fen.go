package orderstore

import "fmt"

// Fen is an amount of money in fen (分), the hundredth part of a yuan. WeChat
// Pay's API counts in fen; there are no fractions of one.
type Fen int64

// String prints the amount as people read it: 1.00元 for 100 fen.
func (f Fen) String() string {
	sign, n := "", uint64(f)
	if f < 0 {
		sign, n = "-", -n
	}
	return fmt.Sprintf("%s%d.%02d元", sign, n/100, n%100)
}
