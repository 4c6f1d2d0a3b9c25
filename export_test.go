package wxpay

// TimeNumber is the default of Options.OrderNumber: a hundred thousand numbers
// cannot be had from orders in a reasonable time.
var TimeNumber = timeNumber

// IsLocal is the parser of a redirect, for its fuzz target.
var IsLocal = isLocal
