package apiv2

// The codec, for its tests and fuzz targets.

type Fields = fields

var (
	Parse  = parse
	Encode = fields.encode
)
