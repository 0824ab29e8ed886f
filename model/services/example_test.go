package services_test

import (
	"fmt"

	"ephtop/model/services"
	"ephtop/source"
)

func Example() {
	fmt.Println(services.Name(5432, source.TCP), "is a", services.KindOf(5432, source.TCP))
	fmt.Println(services.Port("postgres"))
	fmt.Printf("%q is %v\n", services.Name(40000, source.TCP), services.KindOf(40000, source.TCP))
	// Output:
	// postgresql is a database
	// 5432 true
	// "" is unknown
}
