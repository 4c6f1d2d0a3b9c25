package wxpay

// TimeNumber is the default of Options.OrderNumber: a hundred thousand numbers
// cannot be had from orders in a reasonable time.
var TimeNumber = timeNumber
